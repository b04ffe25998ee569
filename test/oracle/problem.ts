import type { CostTable, Tasks } from '../../sim/engine/tasks.ts';

/** A task written out in full: what the engine's tables say in columns. */
export interface ProblemTask {
  stream: number;
  /** Tasks that must have ended before this one starts. */
  after: number[];
  latencySeconds: number;
  seconds: number;
  /** Fraction of each resource that the task draws at full speed. */
  shares: number[];
}

export interface Problem {
  tasks: ProblemTask[];
  capacity: number[];
  couplings?: ProblemCoupling[];
}

/** While both resources are drawn on, the capacity of each is worth its factor. */
export interface ProblemCoupling {
  a: number;
  b: number;
  factorA: number;
  factorB: number;
}

/** The problem in the engine's tables; tasks that cost the same share a row, as in real plans. */
export function encode(problem: Problem): { tasks: Tasks; costs: CostTable } {
  const rows = new Map<string, number>();
  const costs: ProblemTask[] = [];
  const work = problem.tasks.map((task) => {
    const key = JSON.stringify([task.latencySeconds, task.seconds, task.shares]);
    if (!rows.has(key)) rows.set(key, costs.push(task) - 1);
    return rows.get(key)!;
  });
  const dependencyStart = [0];
  for (const task of problem.tasks) dependencyStart.push(dependencyStart.at(-1)! + task.after.length);
  return {
    tasks: {
      count: problem.tasks.length,
      stream: Uint8Array.from(problem.tasks, (task) => task.stream),
      work: Uint32Array.from(work),
      dependencyStart: Uint32Array.from(dependencyStart),
      dependency: Uint32Array.from(problem.tasks.flatMap((task) => task.after)),
    },
    costs: {
      resources: problem.capacity.length,
      latencySeconds: Float64Array.from(costs, (row) => row.latencySeconds),
      seconds: Float64Array.from(costs, (row) => row.seconds),
      share: Float64Array.from(costs.flatMap((row) => row.shares)),
      capacity: Float64Array.from(problem.capacity),
      couplings: problem.couplings ?? [],
    },
  };
}
