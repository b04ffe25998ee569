import { describeMachine } from '../machine/catalogue.ts';
import { inlineFromMachine, inlineMachineSchema } from '../machine/inline.ts';
import { inlineFromShape } from '../model/inline.ts';
import { InputError } from './input-error.ts';
import { quoted } from './path.ts';
import { resolveMachine, resolveModel, type Sources } from './resolve.ts';
import { parseDocument } from './yaml.ts';

type Mapping = Record<string, unknown>;

/** One change to a document: where, and the value to put there. */
export interface Assignment {
  path: string[];
  value: unknown;
}

/** What errors name where a file would stand: the assignment is to blame. */
export const COMMAND_LINE = 'command line';

const CHANGED = ' (changed)';
const FORBIDDEN = new Set(['__proto__', 'prototype', 'constructor']);
const EXPECTED = 'path=value such as workload.batch=8';

/** Reads `workload.batch=8`, `machine.link.h2d=64 GB/s` or `schedules=[transfer, kvpr-row]`; the value is YAML. */
export function parseAssignment(text: string): Assignment {
  const equals = text.indexOf('=');
  if (equals < 0) throw new InputError({ found: quoted(text), expected: EXPECTED });
  const path = parsePath(text.slice(0, equals));
  if (!path) throw new InputError({ found: quoted(text), expected: EXPECTED });
  const written = text.slice(equals + 1).trim();
  if (written === '') throw new InputError({ found: quoted(text), expected: `${EXPECTED}, with a value` });
  return { path, value: parseDocument(written) };
}

/** The keys of `machine.link.h2d`; undefined where the text is no path. */
export function parsePath(text: string): string[] | undefined {
  const path = text.trim().split('.');
  return path.some((key) => key === '' || FORBIDDEN.has(key)) ? undefined : path;
}

/**
 * A copy of the document with the assignments made in order. A path into a model or machine that is given by name first
 * writes it out in full; whether the path and the value mean anything is for validation to say.
 */
export function applyAssignments(document: unknown, assignments: readonly Assignment[], sources: Sources): unknown {
  if (assignments.length === 0) return document;
  const copy = structuredClone(asMapping(document, ''));
  for (const { path, value } of assignments) {
    writeOut(copy, path, sources);
    const last = path.length - 1;
    let target = copy;
    for (const [depth, key] of path.slice(0, last).entries()) {
      // A list or a word where the path goes on gives way only in `split`, whose word is "auto".
      const next = Object.hasOwn(target, key) && target[key] !== 'auto' ? target[key] : {};
      target[key] = asMapping(next, path.slice(0, depth + 1).join('.'));
      target = target[key] as Mapping;
    }
    target[path[last]] = value;
  }
  return copy;
}

/** Replaces the name of a model, a machine or a machine's part by what it stands for, where the path goes below it. */
function writeOut(document: Mapping, path: string[], sources: Sources): void {
  const [root, part] = path;
  if (root === 'model' && path.length > 1 && typeof document.model === 'string') {
    document.model = named(inlineFromShape(resolveModel(document.model, sources)));
  }
  if (root === 'machine' && path.length > 1 && typeof document.machine === 'string') {
    const machine = resolveMachine(document.machine, sources);
    const parts = machine.measured ? undefined : describeMachine(machine.name);
    document.machine = named(parts ?? inlineFromMachine(machine));
  }
  const { machine } = document;
  if (root === 'machine' && path.length > 2 && typeof (machine as Mapping | null)?.[part] === 'string') {
    // A machine that is not valid is left as it is, for validation to say what is wrong with it.
    const { data } = inlineMachineSchema.safeParse(machine);
    if (data) document.machine = named(inlineFromMachine(resolveMachine(data, sources)));
  }
}

/** The description under a name that says it is no longer the catalogue's. */
function named<T extends { name?: string | undefined }>(description: T): T {
  return { ...description, name: `${description.name?.replace(CHANGED, '')}${CHANGED}` };
}

function asMapping(value: unknown, path: string): Mapping {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Mapping;
  throw new InputError({ path, found: quoted(value), expected: 'a mapping', ...(path && { file: COMMAND_LINE }) });
}
