import { basename } from 'node:path';
import type { CommandModule } from 'yargs';
import { BACKENDS, type Backend } from '../../exec/native.ts';
import { measureProfile } from '../../exec/profile/measure.ts';
import { scenarioPlans } from '../../exec/profile/scenario-plans.ts';
import { withNvbandwidth } from '../../exec/profile/with-nvbandwidth.ts';
import { profileFromMeasure } from '../../sim/profile/from-measure.ts';
import { nvbandwidthRates } from '../../sim/profile/from-nvbandwidth.ts';
import type { Profile } from '../../sim/profile/profile.ts';
import { inFile } from '../../sim/scenario/in-file.ts';
import { type DeviceArguments, deviceArguments, deviceOptions } from '../device-arguments.ts';
import { executing, refuseUnexecutable } from '../executing.ts';
import { checkOutputs, writeFileAtomically } from '../files.ts';
import { readMeasurements } from '../input.ts';
import { minutesOption } from '../number-options.ts';
import { note, print, printJson } from '../output.ts';
import { printProfile } from '../profile-report.ts';
import { loadScenario } from '../scenario-arguments.ts';
import { UsageError } from '../usage-error.ts';

interface ProfileArguments extends Omit<DeviceArguments, 'backend'> {
  backend?: Backend;
  out: string;
  for?: string[] | undefined;
  minutes?: number | undefined;
  'from-nvbandwidth'?: string | undefined;
  'from-measure'?: string | undefined;
  json: boolean;
}

/** Under two minutes, and less where only some plans' kernels are measured. */
const MINUTES = { all: 1.8, scenario: 0.75 };
const MOST_MINUTES = 120;

/** What is measured does not depend on the machine that a scenario names; it may well be the profile that is still to be written. */
const ANY_MACHINE = 'a100-pcie-40gb';

export const profileCommand: CommandModule<object, ProfileArguments> = {
  command: 'profile',
  describe: 'Measure this machine into a file that a scenario can name as its machine',
  builder: (yargs) =>
    deviceArguments(yargs, false)
      .option('out', {
        type: 'string',
        requiresArg: true,
        demandOption: true,
        describe: 'File to write the profile to',
      })
      .option('for', {
        type: 'array',
        string: true,
        nargs: 1,
        describe: 'Measure the kernels of this scenario instead of those of models in use; may be repeated',
      })
      .option(
        'minutes',
        minutesOption(`Time to take (left out: ${MINUTES.all}, with --for ${MINUTES.scenario})`, MOST_MINUTES),
      )
      .option('from-measure', {
        type: 'string',
        requiresArg: true,
        describe: 'Make the profile of a file that measure.py wrote, and measure nothing',
      })
      .option('from-nvbandwidth', {
        type: 'string',
        requiresArg: true,
        describe: 'Take the link’s rates from a file that nvbandwidth --json wrote',
      })
      .option('json', { type: 'boolean', default: false, describe: 'Print the profile' })
      .example('$0 profile --backend cuda --out h200.json', 'the GPU of this machine')
      .example('$0 profile --backend cpu --link-rate "2 GB/s" --out cpu.json', 'its cores, with a paced link')
      .example(
        '$0 profile --backend cuda --for scenario.yaml --out here.json',
        'what one scenario needs, more exactly',
      ),
  handler: async (args) => {
    refuseContradictions(args);
    const out = oneOf(args.out, '--out');
    checkOutputs([out]);
    // Read first: what is wrong with it should not show after minutes.
    const link = optional(args, 'from-nvbandwidth', linkOf);
    const base = optional(args, 'from-measure', converted) ?? (await measured(args));
    const profile = link ? link(base) : base;
    writeFileAtomically(out, `${JSON.stringify(profile)}\n`);
    if (args.json) {
      printJson(profile);
      note(`written to ${out}`);
    } else {
      printProfile(profile);
      print('');
      print(`written to ${out}; a scenario takes it as machine: ${JSON.stringify(out)}`);
    }
  },
};

/** The options that say how to measure, which make no sense where nothing is measured. */
const MEASURING = ['backend', 'link-rate', 'host-threads', 'graph', 'for', 'minutes'] as const;

function refuseContradictions(args: ProfileArguments): void {
  const { backend } = args;
  const converts = args['from-measure'] !== undefined;
  const given = MEASURING.find((name) => args[name] !== undefined);
  if (converts && given) throw new UsageError(`--${given} says how to measure, and --from-measure measures nothing`);
  if (!converts && backend === undefined) {
    throw new UsageError(`missing --backend ${BACKENDS.join(' or --backend ')}, or --from-measure with a file`);
  }
  if (args['from-nvbandwidth'] !== undefined && backend === 'cpu') {
    throw new UsageError('--from-nvbandwidth is of a GPU’s link: it goes with --backend cuda or --from-measure');
  }
}

/** yargs makes a list of what is given twice. */
function oneOf(value: string, name: string): string {
  if (typeof value !== 'string') throw new UsageError(`${name} is given more than once`);
  return value;
}

/** What is made of the file that an option names; undefined where it is left out. */
function optional<T>(args: ProfileArguments, name: 'from-measure' | 'from-nvbandwidth', read: (file: string) => T) {
  const file = args[name];
  return file === undefined ? undefined : read(oneOf(file, `--${name}`));
}

async function measured(args: ProfileArguments): Promise<Profile> {
  const device = deviceOptions(args as DeviceArguments);
  const scenarios = (args.for ?? []).map((scenario) => loadScenario({ scenario, set: [`machine=${ANY_MACHINE}`] }));
  for (const scenario of scenarios) refuseUnexecutable(scenario);
  const minutes = args.minutes ?? (args.for ? MINUTES.scenario : MINUTES.all);
  const asked = args.for && { plans: scenarios.flatMap(scenarioPlans) };
  return executing((signal, onProgress) => measureProfile({ device, ...asked, minutes, signal, onProgress }));
}

function converted(file: string): Profile {
  return inFile(file, () => profileFromMeasure(readMeasurements(file), basename(file)));
}

/** Gives a profile the link of a file that nvbandwidth wrote. */
function linkOf(file: string): (base: Profile) => Profile {
  const rates = inFile(file, () => nvbandwidthRates(readMeasurements(file)));
  return (base) => withNvbandwidth(base, rates, basename(file));
}
