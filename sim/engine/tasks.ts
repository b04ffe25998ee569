/** The part of a plan that the engine needs: order and dependencies. A `Plan` is one. */
export interface Tasks {
  count: number;
  /** Stream of each task; a stream runs its tasks in index order, one at a time. */
  stream: Uint8Array;
  /** Row of the cost table. */
  work: Uint32Array;
  /** Task i waits for `dependency[dependencyStart[i] .. dependencyStart[i + 1]]`, each smaller than i. */
  dependencyStart: Uint32Array;
  dependency: Uint32Array;
}

/**
 * What each row of work costs on a machine. A task first waits `latencySeconds` (holding its stream, drawing on nothing), then does
 * `seconds` of work at full speed, which takes the fraction `share[row * resources + r]` (0 to 1) of each resource r.
 * Where the shares of running tasks add up to more than a resource's capacity, they are slowed max-min fairly.
 */
export interface CostTable {
  resources: number;
  latencySeconds: Float64Array;
  seconds: Float64Array;
  share: Float64Array;
  /** Capacity of each resource, 1 unless stated. */
  capacity: Float64Array;
  couplings: readonly Coupling[];
}

/**
 * While work draws on both of two resources (a link's two directions, a copy and a kernel), the capacity of a is multiplied by `factorA` and
 * that of b by `factorB`, each in (0, 1]. Several couplings of one resource multiply.
 */
export interface Coupling {
  a: number;
  b: number;
  factorA: number;
  factorB: number;
}
