import { blaming, type Origin } from './blame.ts';
import { firstProblem } from './explain.ts';
import { inFile } from './in-file.ts';
import { InputError } from './input-error.ts';
import { refuseEndlessNesting } from './nesting.ts';
import { resolveMachine, resolveModel, type Sources } from './resolve.ts';
import type { Scenario, SplitRequest } from './scenario.ts';
import { type ScenarioDocument, scenarioJsonSchema, scenarioSchema } from './schema.ts';
import { type Assignment, applyAssignments, COMMAND_LINE, parseAssignment } from './set.ts';
import { splitTokens } from './split.ts';
import { checkSweep } from './sweep.ts';
import { parseDocument } from './yaml.ts';

export interface ScenarioOptions extends Sources, Origin {}

/** Reads a scenario from YAML or JSON text. Whatever cannot mean anything is an InputError. */
export function parseScenario(text: string, options: ScenarioOptions = {}): Scenario {
  return scenarioFromDocument(documentFromText(text, options.file), options);
}

/** The document that YAML or JSON text holds, not validated; errors name the file. */
export function documentFromText(text: string, file?: string): unknown {
  return inFile(file, () => parseDocument(text));
}

/** Makes a scenario of a document that is data already. Whatever cannot mean anything is an InputError. */
export function scenarioFromDocument(document: unknown, options: ScenarioOptions = {}): Scenario {
  const assignments = inFile(COMMAND_LINE, () => (options.sets ?? []).map(parseAssignment));
  const check = (changes: readonly Assignment[]) => {
    const valid = blaming(options, false, () => validate(applyAssignments(document, changes, options)));
    return { valid, scenario: blaming(options, true, () => resolve(valid, options)) };
  };
  blaming(options, false, () => refuseEndlessNesting(document));
  const { valid, scenario } = check(assignments);
  const { sweep } = valid;
  if (sweep) blaming(options, false, () => checkSweep(sweep, (change) => check([...assignments, change])));
  return scenario;
}

function validate(document: unknown): ScenarioDocument {
  const { success, data, error } = scenarioSchema.safeParse(document);
  if (!success) throw firstProblem(error.issues, document, scenarioJsonSchema());
  return data;
}

function resolve(document: ScenarioDocument, sources: Sources): Scenario {
  const model = firstLayers(resolveModel(document.model, sources), document.layers);
  const machine = resolveMachine(document.machine, sources);
  const { workload, precision, placement, schedules } = document;
  refuseLongContext(workload, model);
  refuseHugeSteps(workload, model);
  const split = document.split === 'auto' ? 'auto' : splitRequest(document.split);
  if (split !== 'auto') splitTokens(split, workload.promptTokens);
  return {
    name: document.name ?? `${model.name} on ${machine.name}`,
    model,
    machine,
    workload,
    precision,
    placement,
    schedules: schedules && [...new Set(schedules)],
    split,
  };
}

function firstLayers(model: Scenario['model'], layers: number | undefined): Scenario['model'] {
  if (layers === undefined) return model;
  if (layers > model.layers) {
    const expected = `at most ${model.layers}, the layers of ${model.name}`;
    throw new InputError({ path: 'layers', found: String(layers), expected });
  }
  const { moe } = model;
  return { ...model, layers, ...(moe && { moe: { ...moe, denseLayers: Math.min(moe.denseLayers, layers) } }) };
}

/** Layers × micro-batches of a step that are simulated at most: more would take minutes and is nobody's machine. */
const MOST_BLOCKS = 4096;

function refuseHugeSteps({ microBatches }: Scenario['workload'], { layers }: Scenario['model']): void {
  if (layers * microBatches <= MOST_BLOCKS) return;
  const found = `${microBatches} with ${layers} layers`;
  throw new InputError({
    path: 'workload.microBatches',
    found,
    expected: `layers × micro-batches of at most ${MOST_BLOCKS}`,
  });
}

function refuseLongContext({ promptTokens, generatedTokens }: Scenario['workload'], model: Scenario['model']): void {
  const tokens = promptTokens + generatedTokens;
  if (model.maxContextTokens === undefined || tokens <= model.maxContextTokens) return;
  throw new InputError({
    path: 'workload',
    found: `promptTokens ${promptTokens} + generatedTokens ${generatedTokens} = ${tokens}`,
    expected: `at most ${model.maxContextTokens}, the longest context of ${model.name}`,
  });
}

function splitRequest(split: Exclude<ScenarioDocument['split'], 'auto'>): SplitRequest {
  const shares = Object.entries(split).filter(([, share]) => share !== undefined);
  return Object.fromEntries(
    shares.map(([way, share]) => [
      way,
      typeof share === 'string' ? { fraction: Number.parseFloat(share) / 100 } : { tokens: share },
    ]),
  );
}
