import type { CommandModule } from 'yargs';
import {
  GPU_NAMES,
  HOST_NAMES,
  LINK_NAMES,
  MACHINE_NAMES,
  type MachineEntry,
  machineEntry,
} from '../../sim/machine/catalogue.ts';
import type { Figure } from '../../sim/machine/figure.ts';
import type { Machine } from '../../sim/machine/machine.ts';
import { summariseMachine } from '../../sim/machine/summary.ts';
import { resolveMachine } from '../../sim/scenario/resolve.ts';
import { readMeasurements } from '../input.ts';
import { bold, dim, print, printJson } from '../output.ts';
import { type Column, tableLines } from '../table.ts';

interface MachinesArguments {
  name?: string | undefined;
  json: boolean;
}

const COLUMNS: Column<Machine>[] = [
  { title: 'machine', value: ({ name }) => name },
  { title: 'GPU memory', unit: 'GiB', value: ({ gpu }) => Math.round(gpu.memoryBytes / 2 ** 30) },
  { title: 'matmul', unit: 'TFLOP/s', value: ({ gpu }) => Math.round(gpu.matmulFlopsPerSecond / 1e12) },
  { title: 'GPU memory', unit: 'GB/s', value: ({ gpu }) => Math.round(gpu.memoryBytesPerSecond / 1e9) },
  { title: 'host memory', unit: 'GB/s', value: ({ host }) => Math.round(host.memoryBytesPerSecond / 1e9) },
  { title: 'to device', unit: 'GB/s', value: ({ link }) => link.h2dBytesPerSecond / 1e9 },
  { title: 'to host', unit: 'GB/s', value: ({ link }) => link.d2hBytesPerSecond / 1e9 },
  { title: 'host', value: ({ host }) => host.name },
  { title: 'link', value: ({ link }) => link.name },
];

export const machinesCommand: CommandModule<object, MachinesArguments> = {
  command: 'machines [name]',
  describe: 'List the machines, or show every figure of one with its source',
  builder: (yargs) =>
    yargs
      .positional('name', { type: 'string', describe: 'Show this machine only: a name, or the path of a profile' })
      .option('json', { type: 'boolean', default: false, describe: 'Print one JSON array' })
      .example('$0 machines', 'GPU, host and link of every machine')
      .example('$0 machines a100-pcie-40gb', 'every figure with its source'),
  handler: ({ name, json }) => {
    const machines = (name === undefined ? MACHINE_NAMES : [name]).map((machine) =>
      resolveMachine(machine, { readProfile: readMeasurements }),
    );
    if (json) printJson(machines.map(summariseMachine));
    else if (name === undefined) printList(machines);
    else if (machines[0].measured) printTable(machines);
    else printEntry(machineEntry(name)!);
  },
};

function printTable(machines: Machine[]): void {
  for (const line of tableLines(COLUMNS, machines)) print(line);
}

function printList(machines: Machine[]): void {
  printTable(machines);
  print('');
  print('To combine as { gpu, host, link }:');
  for (const [kind, names] of Object.entries({ GPUs: GPU_NAMES, hosts: HOST_NAMES, links: LINK_NAMES })) {
    print(`${bold(kind)}: ${names.join(', ')}`);
  }
}

function printEntry({ name, gpu, host, link }: MachineEntry): void {
  print(bold(name));
  for (const [kind, part] of Object.entries({ GPU: gpu, host, link })) {
    print('');
    print(`${bold(`${kind} ${part.name}`)}  ${part.title}`);
    for (const line of tableLines(FIGURE_COLUMNS, figuresOf(part))) print(line);
  }
  print('');
  print(dim('Datasheet figures are the vendor’s; an assumption is this project’s choice, with its reason.'));
}

type NamedFigure = Figure & { name: string };

const FIGURE_COLUMNS: Column<NamedFigure>[] = [
  { title: 'figure', value: ({ name }) => name },
  { title: 'value', value: ({ value }) => value },
  { title: 'basis', value: ({ basis }) => basis },
  { title: 'source', value: ({ source }) => source },
];

function figuresOf(part: object): NamedFigure[] {
  return Object.entries(part).flatMap(([name, figure]) =>
    typeof figure === 'object' ? [{ name, ...(figure as Figure) }] : [],
  );
}
