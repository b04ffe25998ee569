import { z } from 'zod';
import type { Machine } from '../machine/machine.ts';
import { firstProblem } from '../scenario/explain.ts';
import { InputError } from '../scenario/input-error.ts';
import { quoted } from '../scenario/path.ts';

/** The parts of `nvbandwidth --json` that are read; versions differ in the rest. */
const outputSchema = z.looseObject({
  nvbandwidth: z.looseObject({
    testcases: z
      .array(
        z.looseObject({
          name: z.string(),
          status: z.string(),
          /** GB/s as text, or N/A; one row for the CPU and a column for each GPU. */
          bandwidth_matrix: z.array(z.array(z.string())).optional(),
        }),
      )
      .describe('a list of testcases, as nvbandwidth --json writes them'),
  }),
});

type Testcases = z.output<typeof outputSchema>['nvbandwidth']['testcases'];

/** Bytes per second of copies by the copy engine: in either direction alone, and while the other direction runs, where that was measured. */
export interface LinkRates {
  h2d: number;
  d2h: number;
  h2dBoth: number | undefined;
  d2hBoth: number | undefined;
}

/**
 * The rates that nvbandwidth measured.
 *
 * @param document what `nvbandwidth --json` wrote
 * @param gpu column of the GPU in nvbandwidth's tables
 * @throws InputError where copies from host to device or back are not in it
 */
export function nvbandwidthRates(document: unknown, gpu = 0): LinkRates {
  const { success, data, error } = outputSchema.safeParse(document);
  if (!success) throw firstProblem(error.issues, document, z.toJSONSchema(outputSchema));
  const { testcases } = data.nvbandwidth;
  return {
    h2d: required(testcases, 'host_to_device_memcpy_ce', gpu),
    d2h: required(testcases, 'device_to_host_memcpy_ce', gpu),
    h2dBoth: bytesPerSecond(testcases, 'host_to_device_bidirectional_memcpy_ce', gpu),
    d2hBoth: bytesPerSecond(testcases, 'device_to_host_bidirectional_memcpy_ce', gpu),
  };
}

/**
 * A machine whose link has the rates that nvbandwidth measured: copies by the copy engine in either direction, and what is left of them
 * while the other direction runs. All else, the fixed cost of a copy too, is the base's; of a measured base, its figures.
 *
 * @param document what `nvbandwidth --json` wrote
 * @param gpu column of the GPU in nvbandwidth's tables
 * @throws InputError where copies from host to device or back are not in it
 */
export function machineFromNvbandwidth(document: unknown, base: Machine, gpu = 0): Machine {
  const { h2d, d2h, h2dBoth, d2hBoth } = nvbandwidthRates(document, gpu);
  const factors = [h2dBoth && h2dBoth / h2d, d2hBoth && d2hBoth / d2h].filter((factor) => factor !== undefined);
  const mean = factors.reduce((product, factor) => product * factor, 1) ** (1 / Math.max(1, factors.length));
  const { profile: _, ...figures } = base;
  return {
    ...figures,
    name: `${base.name}, link by nvbandwidth`,
    measured: false,
    link: {
      name: 'nvbandwidth',
      h2dBytesPerSecond: h2d,
      d2hBytesPerSecond: d2h,
      latencySeconds: base.link.latencySeconds,
      duplex: factors.length > 0 ? Math.min(1, mean) : base.link.duplex,
    },
  };
}

function required(testcases: Testcases, name: string, gpu: number): number {
  const rate = bytesPerSecond(testcases, name, gpu);
  if (rate !== undefined) return rate;
  const index = testcases.findIndex((testcase) => testcase.name === name);
  if (index < 0) {
    const found = `no testcase ${name}`;
    throw new InputError({ path: 'nvbandwidth.testcases', found, expected: 'one, as nvbandwidth --json writes it' });
  }
  const { status, bandwidth_matrix } = testcases[index];
  throw new InputError({
    path: `nvbandwidth.testcases[${index}]`,
    found: `${name} with status ${quoted(status)} and ${quoted(bandwidth_matrix?.[0]?.[gpu])} for GPU ${gpu}`,
    expected: 'a bandwidth in GB/s',
  });
}

/** Undefined where the testcase did not run for the GPU. */
function bytesPerSecond(testcases: Testcases, name: string, gpu: number): number | undefined {
  const matrix = testcases.find((testcase) => testcase.name === name)?.bandwidth_matrix;
  const rate = Number(matrix?.[0]?.[gpu]) * 1e9;
  return Number.isFinite(rate) && rate > 0 ? rate : undefined;
}
