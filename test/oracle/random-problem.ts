import fc from 'fast-check';
import type { Problem, ProblemCoupling, ProblemTask } from './problem.ts';

interface Limits {
  maxStreams: number;
  /** 0 unless stated. */
  minTasks?: number;
  /** 30 unless stated. */
  maxTasks?: number;
}

/** Durations: often nothing or whole numbers, so that ties are common, else spread over nine decades. */
const duration = fc.oneof(
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 6 }) },
  { weight: 2, arbitrary: fc.double({ min: -6, max: 3, noNaN: true }).map((exponent) => 10 ** exponent) },
);

const share = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.constantFrom(0.25, 0.5, 1) },
  { weight: 2, arbitrary: fc.double({ min: 0.01, max: 1, noNaN: true }) },
);

const capacity = fc.oneof(
  { weight: 3, arbitrary: fc.constant(1) },
  { weight: 1, arbitrary: fc.double({ min: 0.1, max: 3, noNaN: true }) },
);

/** Problems whose tasks depend on tasks before them, on 1 to 6 resources, pairs of which may be coupled. */
export function randomProblem({ maxStreams, minTasks = 0, maxTasks = 30 }: Limits): fc.Arbitrary<Problem> {
  const shape = fc.record({
    streams: fc.uniqueArray(fc.integer({ min: 0, max: 15 }), { minLength: 1, maxLength: maxStreams }),
    resources: fc.integer({ min: 1, max: 6 }),
    count: fc.integer({ min: minTasks, max: maxTasks }),
  });
  return shape.chain(({ streams, resources, count }) =>
    fc.record({
      tasks: fc.tuple(...Array.from({ length: count }, (_, i) => randomTask(i, streams, resources))),
      capacity: fc.array(capacity, { minLength: resources, maxLength: resources }),
      couplings: fc.array(randomCoupling(resources), { maxLength: resources < 2 ? 0 : 4 }),
    }),
  );
}

function randomTask(index: number, streams: number[], resources: number): fc.Arbitrary<ProblemTask> {
  const before = fc.array(fc.integer({ min: 0, max: Math.max(0, index - 1) }), { maxLength: 3 });
  return fc.record({
    stream: fc.constantFrom(...streams),
    after: index === 0 ? fc.constant<number[]>([]) : fc.oneof(fc.constant<number[]>([]), before),
    latencySeconds: fc.oneof(fc.constant(0), duration),
    seconds: duration,
    shares: fc.array(share, { minLength: resources, maxLength: resources }),
  });
}

function randomCoupling(resources: number): fc.Arbitrary<ProblemCoupling> {
  const factor = fc.double({ min: 0.1, max: 1, noNaN: true });
  return fc
    .record({
      a: fc.nat(resources - 1),
      distance: fc.integer({ min: 1, max: Math.max(1, resources - 1) }),
      factorA: factor,
      factorB: factor,
    })
    .map(({ a, distance, factorA, factorB }) => ({ a, b: (a + distance) % resources, factorA, factorB }));
}
