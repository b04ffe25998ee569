import type { CommandModule } from 'yargs';
import { cudaFindings } from '../doctor/cuda.ts';
import { backendFindings } from '../doctor/execution.ts';
import { hostFindings } from '../doctor/host.ts';
import { bold, dim, print, printJson } from '../output.ts';

interface DoctorArguments {
  json: boolean;
}

export const doctorCommand: CommandModule<object, DoctorArguments> = {
  command: 'doctor',
  describe: 'Say what this machine offers and what is missing',
  builder: (yargs) =>
    yargs
      .option('json', { type: 'boolean', default: false, describe: 'Print one JSON array' })
      .example('$0 doctor', 'what can execute plans here, and what to install for the rest'),
  handler: ({ json }) => {
    const { addon, cpu, cuda, cublas } = backendFindings();
    const findings = [...hostFindings(), addon, cpu, cuda, ...cudaFindings(cublas)];
    if (json) return printJson(findings);
    const width = Math.max(...findings.map(({ name }) => name.length));
    for (const { name, found, advice } of findings) {
      print(`${bold(name.padEnd(width))}  ${found ?? 'missing'}`);
      if (advice) print(`${' '.repeat(width)}  ${dim(advice)}`);
    }
  },
};
