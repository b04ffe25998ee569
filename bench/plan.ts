import { spawnSync } from 'node:child_process';
import { median } from 'simple-statistics';

const REPETITIONS = 7;
const MAIN = 'dist/cli/main.js';
const OPT_30B = '--model opt-30b --machine a100-pcie-80gb --batch 32 --prompt 512 --generate 128';

/** `plan` as a whole process, from the start of Node to its end: all schedules, every step, the best split of each. */
export function run(): void {
  time('start-up alone (--version)', ['--version']);
  time('plan, OPT-30B, 128 generated, all schedules', ['plan', ...OPT_30B.split(' '), '--json']);
  time('the same with offloaded weights', ['plan', ...OPT_30B.split(' '), '--weights', 'host', '--json']);
}

function time(label: string, args: string[]): void {
  const seconds = Array.from({ length: REPETITIONS }, () => {
    const start = process.hrtime.bigint();
    const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return Number(process.hrtime.bigint() - start) / 1e9;
  });
  const [least, most] = [Math.min(...seconds), Math.max(...seconds)].map((value) => value.toFixed(2));
  console.log(`${label.padEnd(46)} ${median(seconds).toFixed(2)} s (${least} to ${most}, wall, ${REPETITIONS} runs)`);
}
