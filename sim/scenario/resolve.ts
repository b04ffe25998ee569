import { findMachine, MACHINE_NAMES } from '../machine/catalogue.ts';
import { machineFromInline } from '../machine/inline.ts';
import type { Machine } from '../machine/machine.ts';
import { findModel, MODEL_NAMES } from '../model/catalogue.ts';
import { shapeFromHfConfig } from '../model/hf-config.ts';
import { shapeFromInline } from '../model/inline.ts';
import type { ModelShape } from '../model/shape.ts';
import { machineFromProfile } from '../profile/machine.ts';
import { parseProfile } from '../profile/profile.ts';
import { nearestNames } from '../units/nearest.ts';
import { inFile } from './in-file.ts';
import { InputError } from './input-error.ts';
import { nameSchema } from './name.ts';
import { quoted } from './path.ts';
import type { ScenarioDocument } from './schema.ts';

/** How names in a document become data that the document does not hold. */
export interface Sources {
  /** Reads a Hugging Face config.json; the path is as the scenario gives it. */
  readModelConfig?: (path: string) => unknown;
  /** Reads the profile of a machine; the path is as the scenario gives it. */
  readProfile?: (path: string) => unknown;
}

/** The shape that `model` means: a catalogue name, the path of a Hugging Face config.json, or an inline shape. */
export function resolveModel(model: ScenarioDocument['model'], sources: Sources): ModelShape {
  if (typeof model !== 'string') return shapeFromInline(model);
  if (isPath(model)) return modelFromConfig(model, sources);
  const shape = findModel(model);
  if (!shape) throw unknownName('model', model, MODEL_NAMES);
  return shape;
}

/** The machine that `machine` means: a catalogue name, the path of a profile, or an inline machine whose parts may be names. */
export function resolveMachine(machine: ScenarioDocument['machine'], sources: Sources): Machine {
  if (typeof machine !== 'string') return machineFromInline(machine, 'machine');
  if (isPath(machine)) return machineFromFile(machine, sources);
  const known = findMachine(machine);
  if (!known) throw unknownName('machine', machine, MACHINE_NAMES);
  return known;
}

function machineFromFile(path: string, { readProfile }: Sources): Machine {
  const hint = nameHint(path, 'machine', MACHINE_NAMES);
  if (!readProfile) {
    const found = `a path (${quoted(path)})`;
    throw new InputError({ path: 'machine', found, expected: `the name of a machine or an inline machine${hint}` });
  }
  const document = readDocument(path, readProfile, hint);
  return inFile(path, () => machineFromProfile(parseProfile(document)));
}

function modelFromConfig(path: string, sources: Sources): ModelShape {
  const hint = nameHint(path, 'model', MODEL_NAMES);
  if (!sources.readModelConfig) {
    const found = `a path (${quoted(path)})`;
    throw new InputError({ path: 'model', found, expected: `the name of a model or an inline shape${hint}` });
  }
  const config = readDocument(path, sources.readModelConfig, hint);
  const name = nameFromPath(path);
  if (!nameSchema.safeParse(name).success) {
    throw new InputError({ path: 'model', found: quoted(path), expected: 'a path without control characters' });
  }
  return inFile(path, () => shapeFromHfConfig(config, name));
}

function readDocument(path: string, read: (path: string) => unknown, hint: string): unknown {
  try {
    return read(path);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const { file, path: at, found, expected } = error;
    throw new InputError({
      path: at,
      found,
      expected: `${expected}${hint}`,
      ...(file !== undefined && { file }),
    });
  }
}

/** A repository's name such as facebook/opt-6.7b looks like a path; what it means may have a name here. */
function nameHint(path: string, kind: string, names: readonly string[]): string {
  const nearest = path.endsWith('.json') ? [] : nearestNames(nameFromPath(path), names);
  return nearest.length > 0 ? `, or the name of a ${kind}; nearest: ${nearest.join(', ')}` : '';
}

/** `models/opt-6.7b/config.json` and `models/opt-6.7b.json` are both called opt-6.7b. */
function nameFromPath(path: string): string {
  const parts = path.split(/[\\/]/).filter((part) => part !== '' && part !== '.' && part !== '..');
  const last = parts.at(-1) ?? path;
  return last === 'config.json' ? (parts.at(-2) ?? 'config') : last.replace(/\.json$/, '');
}

/** Whether a name is meant as the path of a file: catalogue names have no slash and no ending. */
export const isPath = (name: string) => /[\\/]|\.(json|ya?ml)$/.test(name);

function unknownName(kind: 'model' | 'machine', name: string, names: readonly string[]): InputError {
  const nearest = nearestNames(name, names);
  const hint = nearest.length > 0 ? `nearest: ${nearest.join(', ')}` : `"splitpoint ${kind}s" lists them`;
  return new InputError({ path: kind, found: quoted(name), expected: `the name of a ${kind}; ${hint}` });
}
