import { describe, expect, it } from 'vitest';
import { findMachine } from '../../../sim/machine/catalogue.ts';
import { findModel } from '../../../sim/model/catalogue.ts';
import { scenarioFromDocument } from '../../../sim/scenario/parse.ts';
import { IDEAL_MACHINE, VALID } from './valid.ts';

const withSets = (sets: string[], document: unknown = VALID) =>
  scenarioFromDocument(document, { file: 's.yaml', sets });

describe('--set', () => {
  it('changes one value and leaves the document alone', () => {
    const before = structuredClone(VALID);
    expect(withSets(['workload.batch=8']).workload).toEqual({
      batch: 8,
      promptTokens: 512,
      generatedTokens: 32,
      microBatches: 1,
    });
    expect(VALID).toEqual(before);
  });

  it('reads lists, percentages and quantities as YAML does', () => {
    const scenario = withSets(['schedules=[transfer, kvpr-row]', 'split.recomputed=37%', 'precision.kv=int4']);
    expect(scenario.schedules).toEqual(['transfer', 'kvpr-row']);
    expect(scenario.split).toEqual({ recomputed: { fraction: 0.37 } });
    expect(scenario.precision.kv).toBe('int4');
  });

  it('can write a whole scenario', () => {
    const sets = [
      'model=opt-6.7b',
      'machine=a100-pcie-40gb',
      'workload={ batch: 1, promptTokens: 8, generatedTokens: 2 }',
    ];
    expect(withSets(sets, {}).workload.promptTokens).toBe(8);
  });

  it('applies the last where two say different things', () => {
    expect(withSets(['workload.batch=8', 'workload.batch=9']).workload.batch).toBe(9);
  });

  it('replaces a split given as a word', () => {
    expect(withSets(['split.recomputed=3'], { ...VALID, split: 'auto' }).split).toEqual({ recomputed: { tokens: 3 } });
  });

  it('changes one figure of a machine of the catalogue and keeps the others', () => {
    const original = findMachine('a100-pcie-40gb')!;
    const { machine } = withSets(['machine.link.h2d=64 GB/s']);
    expect(machine).toEqual({
      ...original,
      name: 'a100-pcie-40gb (changed)',
      link: { ...original.link, h2dBytesPerSecond: 64e9 },
    });
  });

  it('changes a part of a machine of the catalogue with the efficiency that belongs to it', () => {
    const { machine } = withSets(['machine.gpu=h100-sxm', 'machine.link=pcie5-x16']);
    const h100 = findMachine('h100-sxm')!;
    expect(machine.name).toBe('a100-pcie-40gb (changed)');
    expect(machine.gpu).toEqual(h100.gpu);
    expect(machine.efficiency.matmul).toBe(h100.efficiency.matmul);
    expect(machine.host).toEqual(findMachine('a100-pcie-40gb')!.host);
  });

  it('changes one figure of a named part of a combination', () => {
    const combination = { gpu: 'h100-sxm', host: 'epyc-9654', link: 'pcie5-x16' };
    const { machine } = withSets(['machine.gpu.memory=200 GiB', 'machine.link.duplex=1'], {
      ...VALID,
      machine: combination,
    });
    expect(machine.gpu).toEqual({ ...findMachine('h100-sxm')!.gpu, memoryBytes: 200 * 2 ** 30 });
    expect(machine.link.duplex).toBe(1);
  });

  it('changes a figure of a machine written in place', () => {
    const { machine } = withSets(['machine.link.h2d=1 GB/s'], { ...VALID, machine: IDEAL_MACHINE });
    expect(machine).toMatchObject({ name: 'ideal', link: { h2dBytesPerSecond: 1e9 } });
  });

  it('changes one figure of a model of the catalogue and keeps the others', () => {
    expect(withSets(['model.layers=4']).model).toEqual({
      ...findModel('opt-6.7b'),
      name: 'opt-6.7b (changed)',
      layers: 4,
    });
  });

  it.each([
    [
      'no equals sign',
      'workload.batch',
      /^command line: found "workload\.batch", expected path=value such as workload\.batch=8$/,
    ],
    ['no path', '=8', /^command line: found "=8", expected path=value/],
    ['a hole in the path', 'workload..batch=8', /expected path=value/],
    ['no value', 'workload.batch=', /expected path=value such as workload\.batch=8, with a value$/],
    ['a value that is no YAML', 'workload.batch=[', /^command line: line 1: found bad syntax/],
    ['a path to the prototype', '__proto__.polluted=1', /^command line: found "__proto__\.polluted=1"/],
    ['a path through a constructor', 'workload.constructor.prototype.polluted=1', /expected path=value/],
    ['an unknown key', 'workload.bacth=8', /workload: found unknown key "bacth", .*nearest: batch/],
    [
      'an unknown key of a machine of the catalogue',
      'machine.link.h2b=8 GB/s',
      /machine\.link: found unknown key "h2b", .*nearest: h2d/,
    ],
    ['a path below a number', 'workload.batch.size=8', /^command line: workload\.batch: found 64, expected a mapping$/],
    [
      'an absurd value',
      'workload.batch=1e9',
      /^command line: workload\.batch: found 1000000000, expected a whole number/,
    ],
    ['an unknown model further up', 'model=opt-6.7', /^command line: model: found "opt-6\.7", .*nearest: opt-6\.7b/],
  ])('is refused with %s', (_, set, message) => {
    expect(() => withSets([set])).toThrow(message);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it.each([
    [['workload.promptTokens=2040'], {}, /^command line: workload: found promptTokens 2040/],
    [
      ['layers=2'],
      { workload: { ...VALID.workload, promptTokens: 2040 } },
      /^s\.yaml: workload: found promptTokens 2040/,
    ],
    [['workload.promptTokens=8'], { split: { recomputed: 9 } }, /^command line: split: found recomputed 9/],
    [['workload.batch=8'], { split: { recomputed: 513 } }, /^s\.yaml: split: found recomputed 513/],
    [['workload.promptTokens=8'], { split: 'best' }, /^s\.yaml: split: found "best"/],
    [['workload.sizes.big=1'], {}, /^command line: workload: found unknown key "sizes"/],
    [
      ['workload.batch=8'],
      { workload: { ...VALID.workload, bacth: 1 } },
      /^s\.yaml: workload: found unknown key "bacth"/,
    ],
  ])('%j is to blame for what it makes of other values, and only for that', (sets, change, message) => {
    expect(() => withSets(sets, { ...VALID, ...change })).toThrow(message);
  });

  it('leaves errors that it has not caused to the file', () => {
    expect(() => withSets(['workload.batch=8'], { ...VALID, layers: 0 })).toThrow(/^s\.yaml: layers: found 0/);
  });
});
