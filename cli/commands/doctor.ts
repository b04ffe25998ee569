import type { CommandModule } from 'yargs';
import { cudaFindings } from '../doctor/cuda.ts';
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
      .example('$0 doctor', 'driver, cuBLAS, pinnable memory, NUMA nodes, compiler'),
  handler: ({ json }) => {
    const findings = [...hostFindings(), ...cudaFindings()];
    if (json) return printJson(findings);
    const width = Math.max(...findings.map(({ name }) => name.length));
    for (const { name, found, advice } of findings) {
      print(`${bold(name.padEnd(width))}  ${found ?? 'missing'}`);
      if (advice) print(`${' '.repeat(width)}  ${dim(advice)}`);
    }
  },
};
