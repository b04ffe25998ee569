import { Group } from '../../sim/plan/plan.ts';
import { COPY_DIRECTIONS, type Profile, type Repeats } from '../../sim/profile/profile.ts';
import type { Case } from './bench.ts';
import { copyProbe, type Probe } from './probe.ts';
import type { Kernels } from './selection.ts';
import { attentionShape, gemmShape, repeatsOf, type Workbench } from './workbench.ts';

/** Of a kernel beside copies: several must run in a moment. */
const LONGEST_SECONDS = 0.01;

/** Long enough to run beside several kernels. */
const COPY_BYTES = { cpu: 2 * 2 ** 20, cuda: 16 * 2 ** 20 };

/**
 * Copies of one size in either direction and kernels of each kind: each alone and both at once, in turns.
 *
 * @param seconds of the kernels, where they are known
 */
export async function measureInterference(
  workbench: Workbench,
  kernels: Kernels,
  known: ReadonlyMap<Probe, Repeats>,
  seconds: number,
): Promise<Profile['interference']> {
  const bytes = COPY_BYTES[workbench.info.backend];
  const copies = COPY_DIRECTIONS.map((direction) => copyProbe(direction, 'pinned', bytes));
  const chosen = [
    ...chosenOf(kernels.gemm, known).map((probe) => ({ kernel: 'gemm' as const, probe })),
    ...chosenOf(kernels.attention, known).map((probe) => ({ kernel: 'attention' as const, probe })),
    ...chosenOf(kernels.hostAttention, known).map((probe) => ({ kernel: 'host-attention' as const, probe })),
  ];
  const points: Profile['interference'] = [];
  for (const dtype of new Set(chosen.map(({ probe }) => probe.dtype))) {
    const own = chosen.filter(({ probe }) => probe.dtype === dtype);
    const pairs = own.flatMap((one, kernelAt) => copies.map((copy, copyAt) => ({ ...one, kernelAt, copy, copyAt })));
    const cases: Case[] = [
      ...copies.map((copy): Case => [copy]),
      ...own.map(({ probe }): Case => [undefined, probe]),
      ...pairs.map(({ copy, probe }): Case => [copy, probe]),
    ];
    const share = (seconds * own.length) / chosen.length;
    const samples = await workbench.with([copies, own.map(({ probe }) => probe)], (bench) =>
      workbench.measure(bench, 'interference', cases, share),
    );
    pairs.forEach(({ kernel, probe, kernelAt, copyAt }, pair) => {
      const [copyAlone] = samples[copyAt];
      const [, kernelAlone] = samples[copies.length + kernelAt];
      const [copyUnderKernel, kernelUnderCopy] = samples[copies.length + own.length + pair];
      if (!copyAlone || !kernelAlone || !copyUnderKernel || !kernelUnderCopy) return;
      points.push({
        copy: COPY_DIRECTIONS[copyAt],
        copyBytes: bytes,
        kernel,
        shape: kernel === 'gemm' ? gemmShape(probe) : attentionShape(probe),
        copyAlone: repeatsOf(copyAlone),
        copyUnderKernel: repeatsOf(copyUnderKernel),
        kernelAlone: repeatsOf(kernelAlone),
        kernelUnderCopy: repeatsOf(kernelUnderCopy),
      });
    });
  }
  return points;
}

/** Of recomputation and of the other work, the kernel that takes longest and yet leaves copies to run beside several of it. */
function chosenOf(probes: readonly Probe[], known: ReadonlyMap<Probe, Repeats>): Probe[] {
  return [true, false].flatMap((recomputes) => {
    const timed = probes
      .flatMap((probe) => {
        const seconds = (probe.group === Group.recompute) === recomputes ? known.get(probe)?.median : undefined;
        return seconds === undefined ? [] : [{ probe, seconds }];
      })
      .sort((a, b) => a.seconds - b.seconds);
    const chosen = timed.findLast(({ seconds }) => seconds <= LONGEST_SECONDS) ?? timed[0];
    return chosen ? [chosen.probe] : [];
  });
}
