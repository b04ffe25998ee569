import type { Argv } from 'yargs';
import { BACKENDS, type Backend, type DeviceOptions } from '../exec/native.ts';
import { parseQuantity } from '../sim/units/quantity.ts';
import { catchInterrupts } from './executing.ts';
import { optionalCountOption } from './number-options.ts';
import { UsageError } from './usage-error.ts';

const MOST_THREADS = 1024;

export interface DeviceArguments {
  backend: Backend;
  'link-rate'?: string | undefined;
  'host-threads'?: number | undefined;
  graph?: boolean | undefined;
}

/** Lets a command say which device executes; `required` where it always needs one. Such a command ends in order from its beginning on. */
export function deviceArguments<T>(yargs: Argv<T>, required = true) {
  return yargs
    .middleware(catchInterrupts)
    .option('backend', {
      choices: BACKENDS,
      demandOption: required as true,
      describe: 'What executes: an NVIDIA GPU, or this machine’s cores with a link between them',
      group: 'Device:',
    })
    .option('link-rate', {
      type: 'string',
      requiresArg: true,
      describe: 'CPU backend: pace the link to this rate per direction, for instance "2 GB/s"',
      group: 'Device:',
    })
    .option('host-threads', {
      ...optionalCountOption(
        '--host-threads',
        'Threads of the host’s attention (left out: all cores but one)',
        MOST_THREADS,
      ),
      group: 'Device:',
    })
    .option('graph', {
      type: 'boolean',
      describe: 'CUDA backend: launch each step as a CUDA graph',
      group: 'Device:',
    });
}

/** The device that the arguments ask for. Throws a UsageError where they contradict each other. */
export function deviceOptions(args: DeviceArguments): DeviceOptions {
  const { backend, 'link-rate': rate, 'host-threads': threads, graph } = args;
  for (const [name, value] of Object.entries({ backend, 'link-rate': rate, graph })) {
    if (Array.isArray(value)) throw new UsageError(`--${name} is given more than once`);
  }
  if (rate !== undefined && backend !== 'cpu') throw new UsageError('--link-rate paces the CPU backend’s link only');
  if (graph && backend !== 'cuda') throw new UsageError('--graph is for --backend cuda only');
  const linkBytesPerSecond = rate === undefined ? Infinity : parseQuantity(rate, 'bytesPerSecond', '--link-rate');
  return {
    backend,
    // As fast as memory copies is what an infinite rate comes to.
    ...(linkBytesPerSecond < Infinity && { linkBytesPerSecond }),
    ...(threads !== undefined && { hostThreads: threads }),
    ...(graph && { graph }),
  };
}
