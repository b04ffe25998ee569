import { type Plan, STREAMS } from './plan.ts';

/** A place where a plan breaks a rule of its own. */
export interface PlanFault {
  operation: number;
  problem: string;
}

/** One access to a buffer, as a pitched range. */
interface Access {
  operation: number;
  offset: number;
  rowBytes: number;
  rows: number;
  stride: number;
  write: boolean;
}

/**
 * What is wrong with a plan: dependencies that point forwards, operands outside their buffer, and accesses to the same bytes, one of them
 * a write, that no chain of streams and dependencies orders. A plan without faults computes the same whatever the timing.
 */
export function planFaults(plan: Plan): PlanFault[] {
  const faults: PlanFault[] = [];
  for (let i = 0; i < plan.count; i++) {
    for (let e = plan.dependencyStart[i]; e < plan.dependencyStart[i + 1]; e++) {
      if (plan.dependency[e] >= i)
        faults.push({ operation: i, problem: `waits for the later operation ${plan.dependency[e]}` });
    }
    if (plan.stream[i] >= STREAMS.length)
      faults.push({ operation: i, problem: `is in the unknown stream ${plan.stream[i]}` });
    if (plan.work[i] >= plan.works.count)
      faults.push({ operation: i, problem: `does the unknown work ${plan.work[i]}` });
  }
  if (faults.length === 0) faults.push(...rangeFaults(plan));
  return faults.length > 0 ? faults : races(plan);
}

function rangeFaults({ count, operands, buffers }: Plan): PlanFault[] {
  const faults: PlanFault[] = [];
  for (let i = 0; i < count; i++) {
    for (let o = operands.start[i]; o < operands.start[i + 1]; o++) {
      const buffer = buffers[operands.buffer[o]];
      if (!buffer) {
        faults.push({ operation: i, problem: `uses the unknown buffer ${operands.buffer[o]}` });
        continue;
      }
      const end = operands.offsetBytes[o] + (operands.rows[o] - 1) * operands.strideBytes[o] + operands.rowBytes[o];
      if (operands.offsetBytes[o] < 0 || end > buffer.bytes) {
        faults.push({
          operation: i,
          problem: `uses bytes ${operands.offsetBytes[o]} to ${end} of ${buffer.name}, which has ${buffer.bytes}`,
        });
      }
    }
  }
  return faults;
}

/** Conflicting accesses without an order, found with vector clocks: what each operation knows to have ended in each stream. */
function races(plan: Plan): PlanFault[] {
  const streams = STREAMS.length;
  const clock = new Int32Array(plan.count * streams).fill(-1);
  const last = new Int32Array(streams).fill(-1);
  for (let i = 0; i < plan.count; i++) {
    const learn = (from: number) => {
      for (let s = 0; s < streams; s++)
        clock[i * streams + s] = Math.max(clock[i * streams + s], clock[from * streams + s]);
      const stream = plan.stream[from];
      clock[i * streams + stream] = Math.max(clock[i * streams + stream], from);
    };
    if (last[plan.stream[i]] >= 0) learn(last[plan.stream[i]]);
    for (let e = plan.dependencyStart[i]; e < plan.dependencyStart[i + 1]; e++) learn(plan.dependency[e]);
    last[plan.stream[i]] = i;
  }

  const faults: PlanFault[] = [];
  const { operands, buffers } = plan;
  const seen: Access[][] = buffers.map(() => []);
  for (let i = 0; i < plan.count; i++) {
    for (let o = operands.start[i]; o < operands.start[i + 1]; o++) {
      const access: Access = {
        operation: i,
        offset: operands.offsetBytes[o],
        rowBytes: operands.rowBytes[o],
        rows: operands.rows[o],
        stride: operands.strideBytes[o],
        write: operands.write[o] === 1,
      };
      for (const before of seen[operands.buffer[o]]) {
        const ordered = clock[i * streams + plan.stream[before.operation]] >= before.operation;
        if (ordered || before.operation === i || !(access.write || before.write) || !overlap(access, before)) continue;
        faults.push({
          operation: i,
          problem: `and operation ${before.operation} use the same bytes of ${buffers[operands.buffer[o]].name} in no order`,
        });
      }
      seen[operands.buffer[o]].push(access);
    }
  }
  return faults;
}

function overlap(a: Access, b: Access): boolean {
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < b.rows; j++) {
      const from = a.offset + i * a.stride;
      const other = b.offset + j * b.stride;
      if (from < other + b.rowBytes && other < from + a.rowBytes) return true;
    }
  }
  return false;
}
