import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { median } from 'simple-statistics';
import { simulate } from '../sim/engine/engine.ts';
import type { CostTable, Tasks } from '../sim/engine/tasks.ts';
import { kvprPipeline, OPERATIONS_PER_LAYER, OPT_30B_LAYER } from './kvpr-pipeline.ts';
import { compileSimGrid, SIMGRID_MODES, type SimGridRun } from './simgrid.ts';

const LAYERS = 48;
const STEPS = 128;
const REPETITIONS = 7;
/** Runs timed together, since one takes only milliseconds. */
const BATCH = 10;
const GROWTH_REPETITIONS = 3;
const LARGEST = 1e7;

/** Speed of the event engine: against SimGrid on the same pipeline, then over plan sizes, with the memory it takes. */
export async function run(): Promise<void> {
  warmUp();
  compareWithSimGrid();
  growPlans();
  await weighPlan();
}

/** Lets the compiler of JavaScript see both kinds of plan before any clock runs. */
function warmUp(): void {
  for (const contention of [false, true]) {
    const { tasks, costs } = kvprPipeline(LAYERS, STEPS, OPT_30B_LAYER, contention);
    for (let i = 0; i < 20; i++) simulate(tasks, costs);
  }
}

function compareWithSimGrid(): void {
  const { tasks, costs } = kvprPipeline(LAYERS, STEPS, OPT_30B_LAYER);
  const { makespanSeconds } = simulate(tasks, costs);
  const contended = kvprPipeline(LAYERS, STEPS, OPT_30B_LAYER, true);
  const simGrid = compileSimGrid();
  const seconds: number[] = [];
  const withBuildingSeconds: number[] = [];
  const contendedSeconds: number[] = [];
  const simGridRuns = { actors: [] as SimGridRun[], graph: [] as SimGridRun[] };
  try {
    // Taken in turns, so that other load on the machine falls on all of them alike.
    for (let i = 0; i < REPETITIONS; i++) {
      for (const mode of SIMGRID_MODES) {
        if (simGrid) simGridRuns[mode].push(simGrid.run(mode, LAYERS, STEPS, OPT_30B_LAYER));
      }
      seconds.push(secondsOf(() => simulate(tasks, costs), BATCH));
      withBuildingSeconds.push(
        secondsOf(() => {
          const plan = kvprPipeline(LAYERS, STEPS, OPT_30B_LAYER);
          simulate(plan.tasks, plan.costs);
        }, BATCH),
      );
      contendedSeconds.push(secondsOf(() => simulate(contended.tasks, contended.costs), BATCH));
    }
  } finally {
    simGrid?.remove();
  }

  console.log(
    `KVPR pipeline, ${LAYERS} layers × ${STEPS} steps: ${tasks.count} operations; processor time, median of ${REPETITIONS}`,
  );
  const rate = tasks.count / median(seconds);
  row('', 'operations/s', 'simulated s');
  row('splitpoint', millions(rate), makespanSeconds.toFixed(6));
  row('  building the plan too', millions(tasks.count / median(withBuildingSeconds)), makespanSeconds.toFixed(6));
  row('  DRAM contention and duplex coupling', millions(tasks.count / median(contendedSeconds)), '');
  if (!simGrid) {
    console.log('SimGrid is not installed: no comparison. On Debian: apt-get install g++ libsimgrid-dev');
    return;
  }
  for (const mode of SIMGRID_MODES) {
    const runs = simGridRuns[mode];
    const { activities, simulatedSeconds } = runs[0]!;
    if (activities !== tasks.count || Math.abs(simulatedSeconds / makespanSeconds - 1) > 1e-6) {
      throw new Error(
        `SimGrid (${mode}): ${activities} activities in ${simulatedSeconds} s, splitpoint ${tasks.count} in ${makespanSeconds} s`,
      );
    }
    const theirRate = median(runs.map((one) => one.activitiesPerSecond));
    const ratio = `splitpoint is ${(rate / theirRate).toFixed(1)} times as fast`;
    row(`SimGrid, ${mode}`, millions(theirRate), simulatedSeconds.toFixed(6), ratio);
  }
}

function growPlans(): void {
  console.log(`\nPlans of growing size; nanoseconds of processor time per operation, median of ${GROWTH_REPETITIONS}`);
  row('operations', 'as above', 'contended');
  for (const operations of [1e5, 1e6, LARGEST]) {
    const rates = [false, true].map((contention) => {
      const { tasks, costs } = kvprPipeline(LAYERS, stepsFor(operations), OPT_30B_LAYER, contention);
      const times = Array.from({ length: GROWTH_REPETITIONS }, () => secondsOf(() => simulate(tasks, costs)));
      return ((median(times) / tasks.count) * 1e9).toFixed(1);
    });
    row(operations.toExponential(0), ...rates);
  }
}

/** Bytes per operation of the largest plan; the engine's are what the process grows by, which includes the timeline's sixteen. */
async function weighPlan(): Promise<void> {
  const { tasks, costs } = kvprPipeline(LAYERS, stepsFor(LARGEST), OPT_30B_LAYER);
  collectGarbage();
  await setTimeout(500); // array buffers are freed in the background
  const before = process.memoryUsage.rss();
  const { makespanSeconds } = simulate(tasks, costs);
  const engineBytes = process.memoryUsage.rss() - before;
  if (!(makespanSeconds > 0)) throw new Error('the plan took no time');
  const perOperation = (bytes: number) => (bytes / tasks.count).toFixed(1);
  console.log(
    `\nMemory per operation at ${LARGEST.toExponential(0)}: plan ${perOperation(planBytes(tasks, costs))} bytes, ` +
      `engine with timeline ${perOperation(engineBytes)} bytes`,
  );
}

function stepsFor(operations: number): number {
  return Math.round(operations / (LAYERS * OPERATIONS_PER_LAYER));
}

/** Processor time, garbage collection and compilation included, which other load on the machine hardly touches. */
function secondsOf(work: () => void, times = 1): number {
  const begin = process.cpuUsage();
  for (let i = 0; i < times; i++) work();
  const { user, system } = process.cpuUsage(begin);
  return (user + system) / 1e6 / times;
}

function planBytes(tasks: Tasks, costs: CostTable): number {
  const columns = [...Object.values(tasks), ...Object.values(costs)].filter((column) => ArrayBuffer.isView(column));
  return columns.reduce((total, column) => total + column.byteLength, 0);
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

function millions(rate: number): string {
  return `${(rate / 1e6).toFixed(2)} M`;
}

function row(name: string, ...cells: string[]): void {
  console.log([name.padEnd(38), ...cells.map((cell) => cell.padStart(14))].join('  '));
}
