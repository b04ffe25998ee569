import fc from 'fast-check';
import { expect, it } from 'vitest';
import { native } from '../../../exec/native.ts';
import { planFaults } from '../../../sim/plan/check.ts';
import type { Plan } from '../../../sim/plan/plan.ts';
import { decodeRequest } from '../../../sim/planner/decode-setup.ts';
import { schedulesFor } from '../../../sim/planner/plan.ts';
import { decodePlan } from '../../../sim/schedule/decode.ts';
import { REAL_MACHINE, SMALL_MODEL, scenarioOf, stepsOf } from '../../sim/schedule/scenarios.ts';
import { describeNative } from './available.ts';
import { roundTrip } from './small-plans.ts';

type Column = Uint8Array | Uint16Array | Uint32Array | Float64Array;

const decodePlans = (() => {
  const scenario = scenarioOf({
    model: { ...SMALL_MODEL, kvHeads: 2, gated: true, qkNorm: true },
    machine: REAL_MACHINE,
    workload: { batch: 2, promptTokens: 9, generatedTokens: 2, microBatches: 2 },
    split: { resident: '20%', recomputed: '30%', hostAttended: '20%' },
  });
  return schedulesFor(scenario).map((schedule) => ({
    name: schedule.name,
    plan: decodePlan(decodeRequest(scenario, schedule, stepsOf(scenario, schedule))).plan,
  }));
})();

/** All typed arrays of a plan, by path. */
function columnsOf(plan: Plan): { holder: Record<string, unknown>; name: string }[] {
  return [plan, plan.works, plan.operands].flatMap((part) => {
    const holder = part as unknown as Record<string, unknown>;
    const names = Object.keys(holder).filter((name) => ArrayBuffer.isView(holder[name]));
    return names.map((name) => ({ holder, name }));
  });
}

function copyOf(plan: Plan): Plan {
  return structuredClone(plan);
}

/** What a call returns, or the error that it throws. */
function outcomeOf(call: () => unknown): { value: unknown } | { error: unknown } {
  try {
    return { value: call() };
  } catch (error) {
    return { error };
  }
}

const plans = fc.constantFrom(...decodePlans);
const numbers = fc.oneof(
  fc.integer({ min: -2, max: 300 }),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -0.5, 1e300, 2 ** 31, 2 ** 32 - 1, 2 ** 53),
);

describeNative('a plan from anywhere', () => {
  it('has no fault where a schedule made it', () => {
    expect(decodePlans.length).toBeGreaterThan(4);
    for (const { name, plan } of decodePlans) expect(native().faultOf(plan), name).toBeNull();
  });

  it('is refused or accepted, whatever number stands in whatever column', () => {
    let faults = 0;
    fc.assert(
      fc.property(
        plans,
        fc.array(fc.tuple(fc.nat(), fc.nat(), numbers), { minLength: 1, maxLength: 3 }),
        ({ plan }, changes) => {
          const changed = copyOf(plan);
          const columns = columnsOf(changed);
          for (const [which, row, value] of changes) {
            const { holder, name } = columns[which % columns.length];
            const column = holder[name] as Column;
            if (column.length > 0) column[row % column.length] = value;
          }
          const fault = native().faultOf(changed);
          if (fault !== null) {
            expect(fault).not.toBe('');
            faults++;
          }
        },
      ),
      { numRuns: 400 },
    );
    expect(faults).toBeGreaterThan(100);
  });

  it('is refused where a column is shorter or longer than the others', () => {
    const { plan } = decodePlans.find((one) => one.plan.dependency.length > 0)!;
    for (const { name } of columnsOf(plan)) {
      for (const grow of [-1, 1]) {
        const changed = copyOf(plan);
        const { holder } = columnsOf(changed).find((column) => column.name === name)!;
        const column = holder[name] as Column;
        const other = new (column.constructor as Uint8ArrayConstructor)(column.length + grow);
        other.set(column.subarray(0, other.length) as Uint8Array);
        holder[name] = other;
        // These say nothing that an execution uses.
        if (['flops', 'bytes'].includes(name)) continue;
        expect(native().faultOf(changed), `${name} ${grow}`).not.toBeNull();
      }
    }
  });

  it('is refused where dropping a dependency leaves a race, as the check in TypeScript finds', () => {
    let races = 0;
    fc.assert(
      fc.property(plans, fc.nat(), ({ plan }, which) => {
        fc.pre(plan.dependency.length > 0);
        const edge = which % plan.dependency.length;
        const changed: Plan = {
          ...plan,
          dependency: plan.dependency.filter((_, e) => e !== edge),
          dependencyStart: plan.dependencyStart.map((start) => (start > edge ? start - 1 : start)),
        };
        const expected = planFaults(changed).length > 0;
        if (expected) races++;
        expect(native().faultOf(changed) !== null).toBe(expected);
      }),
      { numRuns: 150 },
    );
    expect(races).toBeGreaterThan(20);
  });

  it('gives a TypeError where it is no plan, or where any part of it is something else', () => {
    const anything = fc.oneof(
      fc.anything(),
      fc.constantFrom(new Uint8Array(3), new Float32Array(5), new DataView(new ArrayBuffer(8)), () => 1, 10n),
    );
    fc.assert(
      fc.property(anything, (value) => {
        expect(outcomeOf(() => native().faultOf(value as Plan))).toEqual({ error: expect.any(TypeError) });
      }),
      { numRuns: 200 },
    );
    const parts = ['plan', 'works', 'operands', 'model', 'buffers'] as const;
    fc.assert(
      fc.property(fc.constantFrom(...parts), fc.nat(), anything, (part, which, value) => {
        const changed = copyOf(decodePlans[0].plan);
        const of = (part === 'plan' ? changed : part === 'buffers' ? changed.buffers[0] : changed[part]) as object;
        const names = Object.keys(of);
        (of as Record<string, unknown>)[names[which % names.length]] = value;
        const outcome = outcomeOf(() => native().faultOf(changed));
        if ('error' in outcome) expect(outcome.error).toBeInstanceOf(TypeError);
        else expect(typeof outcome.value === 'string' || outcome.value === null).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it('is safe though its getters throw, or move the memory of columns that were looked at before', () => {
    const throwing = { ...roundTrip(8) };
    Object.defineProperty(throwing, 'model', {
      get() {
        throw new RangeError('no model today');
      },
    });
    expect(() => native().faultOf(throwing)).toThrow('no model today');

    const moving = copyOf(roundTrip(8));
    const { buffers } = moving;
    Object.defineProperty(moving, 'buffers', {
      get() {
        structuredClone(moving.operands.rows.buffer, { transfer: [moving.operands.rows.buffer as ArrayBuffer] });
        return buffers;
      },
    });
    expect(native().faultOf(moving)).toBe('column operands.rows has 0 rows, expected 4');
  });

  it('comes with options that are checked as well', async () => {
    const plan = roundTrip(8);
    const open = (options: unknown) => native().open(plan, options as { backend: 'cpu' });
    for (const options of [
      undefined,
      {},
      { backend: 'tpu' },
      { backend: 'cpu', linkBytesPerSecond: -1 },
      { backend: 'cpu', linkBytesPerSecond: Number.NaN },
      { backend: 'cpu', hostThreads: 0 },
      { backend: 'cpu', hostThreads: 1e9 },
      { backend: 'cpu', graph: 'yes' },
    ]) {
      expect(() => open(options), JSON.stringify(options)).toThrow(TypeError);
    }
    const session = open({ backend: 'cpu' });
    const execute = session.execute as (...values: unknown[]) => Promise<unknown>;
    for (const values of [
      [],
      [null],
      [plan, 5],
      [plan, { captures: 1 }],
      [plan, { captures: [{}] }],
      [plan, { onProgress: 1 }],
    ]) {
      await expect(execute(...values), JSON.stringify(values)).rejects.toThrow(TypeError);
    }
    await expect(execute(plan, { captures: [{ operation: 5, operand: 0 }] })).rejects.toMatchObject({ code: 'PLAN' });
    const { read, write, poison, fill } = session as unknown as Record<string, (...values: unknown[]) => unknown>;
    for (const call of [read, write, poison, fill]) {
      expect(() => call()).toThrow(TypeError);
      expect(() => call(0, -1, 1)).toThrow(TypeError);
      expect(() => call(0, 0, Number.NaN)).toThrow(TypeError);
      expect(() => call.call({}, 'x', {}, [])).toThrow(TypeError);
    }
    session.close();
    expect(() => native().hostReadRate(0, 1)).toThrow(TypeError);
    expect(() => native().hostReadRate(1, 1e6)).toThrow(TypeError);
  });
});
