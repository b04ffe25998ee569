// Validates the scenarios in scenarios/validate/cpu on this machine's cores, each over a link paced to the rate that its file states, and
// repeats the whole. Prints the figures and leaves the reports in out/validate-cpu.json. Wants an idle machine: about 15 minutes on two cores.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { buildNative } from './build-native.mjs';
import { setUp } from './setup.mjs';

const FOLDER = 'scenarios/validate/cpu';
const GOALS = { median: 0.05, p95: 0.12, regret: 0.03 };

setUp();
buildNative({ required: true });
const { parseScenario } = await import('../dist/sim/scenario/parse.js');
const { median, quantile } = await import('simple-statistics');

const repeats = Number(process.argv[2] ?? 3);
if (!Number.isInteger(repeats) || repeats < 1) {
  console.error(`found ${process.argv[2]}, expected how often to repeat the whole`);
  process.exit(2);
}
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));
const percent = (share) => `${(100 * share).toFixed(2)} %`;
console.log(`${cpus()[0]?.model}, ${availableParallelism()} cores, ${new Date().toISOString()}`);

const passes = [];
for (let pass = 1; pass <= repeats; pass++) {
  console.log(`\npass ${pass} of ${repeats}`);
  const reports = files.map((file) => {
    const path = `${FOLDER}/${file}`;
    const report = validate(path);
    const { stepError, regret, chosen, bestMeasured, runs } = report;
    console.log(
      `${file.padEnd(20)} ${runs.length} runs, median ${percent(stepError.median)}, p95 ${percent(stepError.p95)}, regret ${percent(regret)} (${chosen}; best ${bestMeasured})`,
    );
    return report;
  });
  const errors = reports.flatMap(({ runs }) => runs.map(({ error }) => error));
  const summary = {
    runs: errors.length,
    median: median(errors),
    p95: quantile(errors, 0.95),
    regret: Math.max(...reports.map(({ regret }) => regret)),
  };
  console.log(
    `all ${summary.runs} runs: median ${percent(summary.median)}, p95 ${percent(summary.p95)}, largest regret ${percent(summary.regret)}`,
  );
  passes.push({ summary, reports });
}
mkdirSync('out', { recursive: true });
writeFileSync('out/validate-cpu.json', `${JSON.stringify(passes)}\n`);
const worst = (key) => Math.max(...passes.map(({ summary }) => summary[key]));
const missed = Object.keys(GOALS).filter((key) => worst(key) > GOALS[key]);
console.log(
  `\nworst of ${repeats} passes: ${Object.keys(GOALS)
    .map((key) => `${key} ${percent(worst(key))} (goal ${percent(GOALS[key])})`)
    .join(', ')}`,
);
process.exitCode = missed.length > 0 ? 1 : 0;

function validate(path) {
  const rate = parseScenario(readFileSync(path, 'utf8')).machine.link.h2dBytesPerSecond;
  const args = [
    'dist/cli/main.js',
    'validate',
    path,
    '--backend',
    'cpu',
    '--link-rate',
    `${rate / 1e6} MB/s`,
    '--json',
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status === 0) return JSON.parse(stdout);
  console.error(`validating ${path} failed\n${stderr}`);
  process.exit(1);
}
