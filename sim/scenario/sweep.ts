import { dimensionOf } from '../units/quantity.ts';
import { InputError } from './input-error.ts';
import { pathText, quoted } from './path.ts';
import type { ScenarioDocument } from './schema.ts';
import { type Assignment, parsePath } from './set.ts';

type Sweep = NonNullable<ScenarioDocument['sweep']>;
type Range = Exclude<Sweep[string], unknown[]>;

/**
 * Checks a sweep without running it: every value of a list and both ends of a range, set alone, make a valid scenario.
 *
 * @param check throws an InputError where the scenario with the change means nothing
 * @throws InputError naming the axis and the value: `sweep."workload.batch"[2]`
 */
export function checkSweep(sweep: Sweep, check: (change: Assignment) => void): void {
  for (const [axis, values] of Object.entries(sweep)) {
    const path = parsePath(axis);
    if (!path || path[0] === 'sweep') {
      throw new InputError({ path: at(axis), found: quoted(axis), expected: 'a path such as workload.batch' });
    }
    if (!Array.isArray(values)) checkEnds(values, at(axis));
    const changes: [key: string | number, value: unknown][] = Array.isArray(values)
      ? [...values.entries()]
      : [
          ['from', values.from],
          ['to', values.to],
        ];
    for (const [key, value] of changes) checkValue({ path, value }, at(axis, key), check);
  }
}

function checkValue(change: Assignment, where: string, check: (change: Assignment) => void): void {
  try {
    check(change);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const { path, found, expected } = error;
    const isItself = path === pathText(change.path);
    throw new InputError({ path: where, found: isItself || path === '' ? found : `${path}: ${found}`, expected });
  }
}

function checkEnds({ from, to, scale }: Range, path: string): void {
  const found = `from ${quoted(from)} to ${quoted(to)}`;
  if (kindOf(from) === undefined || kindOf(from) !== kindOf(to)) {
    throw new InputError({ path, found, expected: 'two numbers, or two quantities of the same unit' });
  }
  if (scale === 'log' && [from, to].some((end) => Number.parseFloat(String(end)) <= 0)) {
    throw new InputError({ path, found, expected: 'ends above zero, as the scale is log' });
  }
}

function kindOf(end: Range['from']): string | undefined {
  if (typeof end === 'number') return 'number';
  return /^\s*[\d.]+\s*%\s*$/.test(end) ? 'percentage' : dimensionOf(end);
}

const at = (...path: (string | number)[]) => pathText(['sweep', ...path]);
