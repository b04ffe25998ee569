import { availableParallelism } from 'node:os';
import type { Plan } from '../../sim/plan/plan.ts';
import { PROFILE_LISTS, PROFILE_SCHEMA, type Profile, parseProfile, type Repeats } from '../../sim/profile/profile.ts';
import { type DeviceInfo, type DeviceOptions, native } from '../native.ts';
import type { Case } from './bench.ts';
import { Budget } from './budget.ts';
import { cacheBytes } from './cache.ts';
import { measureCopies } from './copies.ts';
import { defaultPlans } from './default-plans.ts';
import { measureInterference } from './interference.ts';
import { copyProbe, isCopy, type Probe, tinyProbe } from './probe.ts';
import { provenanceOf } from './provenance.ts';
import { elementwiseKind, type Kernels, kernelsOf } from './selection.ts';
import { attentionShape, gemmShape, repeatsOf, typeOf, Workbench } from './workbench.ts';

export interface ProfileOptions {
  device: DeviceOptions;
  /** Their kernels are measured, each as they have it; left out: those of models in use. */
  plans?: readonly Plan[];
  minutes: number;
  onProgress?: (doing: string, done: number, of: number) => void;
  signal?: AbortSignal;
}

const SMALLEST_COPY = 4 * 2 ** 10;
/** At least, so that there are a dozen sizes. */
const LARGEST_COPY = 8 * 2 ** 20;
const MOST_COPIED = { cpu: 64 * 2 ** 20, cuda: 256 * 2 ** 20 };
const LONG_COPY_SECONDS = 0.05;
/** Whoever waits so long no longer polls, and is woken. */
const HANDED_OVER_AFTER_SECONDS = 1.5e-3;
const HOST_READ_BYTES = 2 ** 28;

/** Shares of the time. */
const WEIGHTS = {
  copies: 24,
  gemm: 32,
  attention: 14,
  elementwise: 8,
  hostAttention: 8,
  gaps: 1,
  interference: 11,
  hostMemory: 2,
} as const;

type Section = keyof typeof WEIGHTS;

const SECTIONS: Record<Section, string> = {
  copies: 'copies',
  gemm: 'matrix products',
  attention: 'attention',
  elementwise: 'element-wise kernels',
  hostAttention: 'host attention',
  gaps: 'gaps',
  interference: 'interference',
  hostMemory: 'host memory',
};

/**
 * Measures a device through the executor: chains of like operations in streams, as plans have them, launch gaps included.
 *
 * @throws MissingNative, or errors with the codes of Native and NativeSession; an AbortError where the signal ends it
 */
export async function measureProfile({ device, plans, minutes, onProgress, signal }: ProfileOptions): Promise<Profile> {
  const probed = native().probe(device.backend, device);
  if ('missing' in probed) throw Object.assign(new Error(probed.missing), { code: 'DEVICE' });
  const { info } = probed;
  const workbench = new Workbench(device, info, ringBytes(info, plans), signal);
  const all = kernelsOf(plans ?? defaultPlans(info.backend));
  const kernels = Object.fromEntries(
    Object.entries(all).map(([list, probes]) => [list, workbench.measurable(list, probes)]),
  ) as Kernels;

  const names = Object.keys(WEIGHTS) as Section[];
  const budget = new Budget(
    60 * minutes,
    names.map((name) => WEIGHTS[name]),
  );
  /** Seconds of the next section. */
  const begin = (section: Section) => {
    signal?.throwIfAborted();
    onProgress?.(SECTIONS[section], names.indexOf(section), names.length);
    return budget.next(WEIGHTS[section]);
  };
  const known = new Map<Probe, Repeats>();
  const measured = async (section: keyof Kernels) => {
    const found = await measureKernels(workbench, section, kernels[section], begin(section));
    for (const { probe, seconds } of found) known.set(probe, seconds);
    return found;
  };

  const copies = await measureCopies(workbench, copySizes(device, plans), begin('copies'));
  const gemm = await measured('gemm');
  if (gemm.length === 0) {
    const problem = ['no matrix product could be measured', ...workbench.notes].join('; ');
    throw Object.assign(new Error(problem), { code: 'DEVICE' });
  }
  const attention = await measured('attention');
  const elementwise = await measured('elementwise');
  const hostAttention = await measured('hostAttention');
  const gaps = await measureGaps(workbench, copies.copies, begin('gaps'));
  const interference = await measureInterference(workbench, kernels, known, begin('interference'));
  begin('hostMemory');
  return parseProfile({
    schema: PROFILE_SCHEMA,
    provenance: provenanceOf(info, device, workbench.notes),
    memory: { gpuBytes: info.gpuBytes, hostBytes: info.hostBytes },
    multiprocessors: info.multiprocessors,
    descriptions: PROFILE_LISTS,
    ...copies,
    gemm: gemm.map(({ probe, seconds }) => ({ ...gemmShape(probe), seconds })),
    attention: attention.map(({ probe, seconds }) => ({ ...attentionShape(probe), seconds })),
    hostAttention: hostAttention.map(({ probe, seconds }) => ({
      ...attentionShape(probe),
      threads: info.hostThreads,
      seconds,
    })),
    elementwise: elementwise.map(({ probe, seconds }) => ({
      kind: elementwiseKind(probe.kind),
      type: typeOf(probe),
      bytes: probe.bytes,
      seconds,
    })),
    ...gaps,
    interference,
    hostMemory: hostMemory(info),
  });
}

/** A model that fits the cache stays in it, in a measurement as in a run; all others come from memory. */
function ringBytes(info: DeviceInfo, plans: readonly Plan[] | undefined): number {
  const twice = 2 * cacheBytes(info.backend);
  return plans ? Math.min(twice, Math.max(...plans.map((plan) => workingSet(plan, info)))) : twice;
}

/** Bytes that a plan keeps going through; on the CPU all pools share its caches. */
function workingSet({ buffers }: Plan, { backend }: DeviceInfo): number {
  return buffers.reduce((sum, { pool, bytes }) => sum + (backend === 'cpu' || pool === 'gpu' ? bytes : 0), 0);
}

/** Doublings up to the largest copy of the plans, or to what a slow link takes a moment for. */
function copySizes({ backend, linkBytesPerSecond = Number.POSITIVE_INFINITY }: DeviceOptions, plans?: readonly Plan[]) {
  const asked = plans ? Math.max(...plans.map(largestCopy)) : Number.POSITIVE_INFINITY;
  const most = Math.max(LARGEST_COPY, Math.min(MOST_COPIED[backend], asked, LONG_COPY_SECONDS * linkBytesPerSecond));
  const sizes = [SMALLEST_COPY];
  while (sizes[sizes.length - 1] < most) sizes.push(2 * sizes[sizes.length - 1]);
  return sizes;
}

function largestCopy({ works }: Plan): number {
  return works.bytes.reduce((most, bytes, w) => (isCopy({ kind: works.kind[w] }) ? Math.max(most, bytes) : most), 0);
}

/** Kernels of one list, each type of elements by itself. */
async function measureKernels(
  workbench: Workbench,
  list: keyof Kernels,
  probes: readonly Probe[],
  seconds: number,
): Promise<{ probe: Probe; seconds: Repeats }[]> {
  const measured: { probe: Probe; seconds: Repeats }[] = [];
  for (const dtype of new Set(probes.map((probe) => probe.dtype))) {
    const own = probes.filter((probe) => probe.dtype === dtype);
    const cases = own.map((probe): Case => [probe]);
    const share = (seconds * own.length) / probes.length;
    const samples = await workbench.with([own], (bench) => workbench.measure(bench, list, cases, share, 1));
    own.forEach((probe, i) => {
      const [values] = samples[i];
      if (values) measured.push({ probe, seconds: repeatsOf(values) });
    });
  }
  return measured;
}

/** The gap before a kernel, and the one where a stream waits for another as long as it does in a decode. */
async function measureGaps(
  workbench: Workbench,
  copies: Profile['copies'],
  seconds: number,
): Promise<Pick<Profile, 'launch' | 'handover'>> {
  const copy = copyProbe('h2d', 'pinned', bytesIn(HANDED_OVER_AFTER_SECONDS, copies));
  const kernel = tinyProbe();
  return workbench.with([[copy], [kernel]], async (bench) => {
    const [[, launch]] = await workbench.measure(bench, 'launch', [[undefined, kernel]], seconds, 1);
    const handover = repeatsOf(await bench.handovers([copy, kernel]));
    return { ...(launch && { launch: repeatsOf(launch) }), handover };
  });
}

/** Bytes that are copied to the GPU in about so long: twice as long is no matter. */
function bytesIn(seconds: number, copies: Profile['copies']): number {
  const rates = copies
    .filter(({ pinned, direction }) => pinned && direction === 'h2d')
    .map((point) => point.bytes / point.seconds.median);
  const bytes = seconds * Math.max(...rates);
  return Math.max(SMALLEST_COPY, 2 ** Math.round(Math.log2(bytes)));
}

function hostMemory({ hostFreeBytes }: DeviceInfo): Profile['hostMemory'] {
  const bytes = Math.min(HOST_READ_BYTES, Math.floor(hostFreeBytes / 8));
  return [...new Set([1, availableParallelism()])].map((threads) => ({
    threads,
    bytesPerSecond: native().hostReadRate(bytes, threads),
  }));
}
