import { describe, expect, it } from 'vitest';
import { native } from '../../../exec/native.ts';
import { alternatingPlan, chainPlan } from '../../../exec/profile/chain.ts';
import { copyProbe, type Probe, probeOf, tinyProbe } from '../../../exec/profile/probe.ts';
import { Regions } from '../../../exec/profile/regions.ts';
import { scenarioPlans } from '../../../exec/profile/scenario-plans.ts';
import { planFaults } from '../../../sim/plan/check.ts';
import { KINDS, Kind, type Plan, Role } from '../../../sim/plan/plan.ts';
import { describeNative } from '../native/available.ts';
import { tinyScenario } from './scenarios.ts';

const PLANS = scenarioPlans(tinyScenario());

/** A probe of the first operation of a kind in any plan, and that operation. */
function first(kind: number, plans: readonly Plan[] = PLANS): { plan: Plan; operation: number; probe: Probe } {
  for (const plan of plans) {
    const operation = plan.work.findIndex((work) => plan.works.kind[work] === kind);
    if (operation >= 0) return { plan, operation, probe: probeOf(plan, operation) };
  }
  throw new Error(`no ${KINDS[kind]}`);
}

const kernels = KINDS.flatMap((name, kind) =>
  name.startsWith('copy') || name === 'step-end' ? [] : [{ name, ...first(kind) }],
);

/** Where each operand of an operation lies. */
function operandsOf({ operands }: Plan, operation: number) {
  const rows = [];
  for (let o = operands.start[operation]; o < operands.start[operation + 1]; o++) {
    rows.push({
      role: operands.role[o],
      write: operands.write[o],
      buffer: operands.buffer[o],
      offset: operands.offsetBytes[o],
      rowBytes: operands.rowBytes[o],
      rows: operands.rows[o],
      stride: operands.strideBytes[o],
    });
  }
  return rows;
}

describe('a chain of operations', () => {
  it.each(kernels)(
    'of kind $name does the work of the plan with operands of the same sizes',
    ({ plan, operation, probe }) => {
      const chain = chainPlan(new Regions([[probe]], 0), [{ lane: 0, probe, count: 3 }]).plan;
      expect(planFaults(chain)).toEqual([]);
      for (const column of ['kind', 'dtype', 'm', 'n', 'k', 'batch', 'flops', 'bytes'] as const) {
        expect(chain.works[column][chain.work[2]]).toBe(plan.works[column][plan.work[operation]]);
      }
      expect(chain.model).toEqual(plan.model);
      expect(chain.token[2]).toBe(plan.token[operation]);
      const shape = (row: ReturnType<typeof operandsOf>[number]) => ({ ...row, buffer: 0, offset: row.offset % 256 });
      expect(operandsOf(chain, 2).map(shape)).toEqual(operandsOf(plan, operation).map(shape));
    },
  );

  it('keeps the distances of operands that lie in one buffer', () => {
    const { plan, operation, probe } = first(Kind.append);
    const [keys, values] = operandsOf(plan, operation);
    const found = operandsOf(chainPlan(new Regions([[probe]], 0), [{ lane: 0, probe, count: 1 }]).plan, 0);
    expect(keys.buffer).toBe(values.buffer);
    expect(found[0].buffer).toBe(found[1].buffer);
    expect(found[1].offset - found[0].offset).toBe(values.offset - keys.offset);
  });

  it('goes through the whole ring before it reads the same weights or caches again', () => {
    const { probe } = first(Kind.gemm);
    const ring = 2 ** 20;
    const { plan } = chainPlan(new Regions([[probe]], ring), [{ lane: 0, probe, count: 200 }]);
    const weights = Array.from(
      { length: plan.count },
      (_, i) => operandsOf(plan, i).find(({ role }) => role === Role.weight)!,
    );
    const again = weights.findIndex(({ offset }, i) => i > 0 && offset === weights[0].offset);
    const size = weights[1].offset - weights[0].offset;
    expect(size).toBeGreaterThanOrEqual(weights[0].rowBytes);
    expect(again).toBe(Math.floor(ring / size));
  });

  it('goes on in the ring where the chain before it stopped', () => {
    const { probe } = first(Kind.attend);
    const regions = new Regions([[probe]], 2 ** 20);
    const cacheAt = (plan: Plan) => operandsOf(plan, 0).find(({ role }) => role === Role.cache)!.offset;
    const chains = [{ lane: 0, probe, count: 1 }];
    expect(cacheAt(chainPlan(regions, chains).plan)).not.toBe(cacheAt(chainPlan(regions, chains).plan));
  });

  it('hands results on through two slots in turns', () => {
    const probe = copyProbe('h2d', 'pinned', 4096);
    const { plan } = chainPlan(new Regions([[probe]], 2 ** 20), [{ lane: 0, probe, count: 4 }]);
    const targets = Array.from({ length: 4 }, (_, i) => operandsOf(plan, i)[1].offset);
    expect(new Set(targets).size).toBe(2);
    expect(targets[2]).toBe(targets[0]);
  });

  it('never writes what it reads as input, so that numbers stay as they were drawn', () => {
    for (const { probe } of kernels) {
      const { plan } = chainPlan(new Regions([[probe]], 0), [{ lane: 0, probe, count: 2 }]);
      const all = [...operandsOf(plan, 0), ...operandsOf(plan, 1)];
      const written = new Set(all.filter(({ write }) => write).map(({ buffer }) => buffer));
      const inputs = all.filter(({ role }) => role === Role.input || role === Role.query || role === Role.weight);
      expect(inputs.filter(({ buffer }) => written.has(buffer))).toEqual([]);
    }
  });
});

describe('chains at the same time', () => {
  it('touch no bytes in common', () => {
    const copy = copyProbe('h2d', 'pinned', 4096);
    const store = copyProbe('d2h', 'pinned', 4096, 2);
    const { probe } = first(Kind.attend);
    for (const other of [store, probe]) {
      const regions = new Regions([[copy], [other]], 2 ** 16);
      const chains = [
        { lane: 0, probe: copy, count: 20 },
        { lane: 1, probe: other, count: 20 },
      ];
      const { plan, ranges } = chainPlan(regions, chains);
      expect(planFaults(plan)).toEqual([]);
      expect(plan.dependency.length).toBe(0);
      expect(ranges).toEqual([
        { first: 0, count: 20 },
        { first: 20, count: 20 },
      ]);
    }
  });

  it('wait for each other one by one where they take turns', () => {
    const probes = [copyProbe('h2d', 'pinned', 4096), tinyProbe()] as const;
    const regions = new Regions([[probes[0]], [probes[1]]], 2 ** 16);
    const plan = alternatingPlan(regions, [
      { lane: 0, probe: probes[0], count: 3 },
      { lane: 1, probe: probes[1], count: 3 },
    ]);
    expect([...plan.stream]).toEqual([0, 2, 0, 2, 0, 2]);
    expect([...plan.dependency]).toEqual([0, 1, 2, 3, 4]);
  });
});

describe('a copy in rows', () => {
  it('lies apart in host memory and dense on the device, in either direction', () => {
    for (const [direction, host] of [
      ['h2d', 0],
      ['d2h', 1],
    ] as const) {
      const { operands, bytes, areas } = copyProbe(direction, 'host', 8192, 2);
      expect(operands.map(({ rows, rowBytes }) => rows * rowBytes)).toEqual([8192, 8192]);
      expect(operands[host].strideBytes).toBeGreaterThan(4096);
      expect(operands[1 - host].strideBytes).toBe(4096);
      expect(areas.map(({ pool }) => pool)).toEqual(direction === 'h2d' ? ['host', 'gpu'] : ['gpu', 'host']);
      expect(bytes).toBe(8192);
    }
  });
});

describeNative('the executor', () => {
  it('takes a chain of every kind of kernel', () => {
    for (const { name, probe } of kernels) {
      const { plan } = chainPlan(new Regions([[probe]], 2 ** 18), [{ lane: 0, probe, count: 5 }]);
      expect(`${name}: ${native().faultOf(plan)}`).toBe(`${name}: null`);
    }
  });
});
