import type { z } from 'zod';
import { nearestNames } from '../units/nearest.ts';
import { InputError } from './input-error.ts';
import { type DocumentPath, pathText, quoted, valueAt } from './path.ts';

/** The parts of JSON Schema that say what a value may be. */
interface SchemaNode {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  maxLength?: number;
  description?: string;
  properties?: Record<string, SchemaNode>;
  additionalProperties?: boolean | SchemaNode;
  items?: SchemaNode;
  anyOf?: SchemaNode[];
}

type Issue = z.core.$ZodIssue;

/** A description that starts with a small letter completes "expected …"; the others are sentences about the key. */
const PHRASE = /^[a-z]/;

/** How a check across several keys writes its message. */
const FOUND_EXPECTED = /^found (.*), expected (.*)$/s;

/**
 * One clear error out of all that a schema found: the first by the document's own order; what is missing comes last.
 * What was expected is read from the JSON Schema of the same schema.
 */
export function firstProblem(issues: readonly Issue[], document: unknown, schema: Record<string, unknown>): InputError {
  const rankOf = documentOrder(document);
  const problems = issues.flatMap((issue) => flatten(issue, [])).map((issue) => ({ issue, rank: rankOf(issue) }));
  problems.sort((a, b) => compareRanks(a.rank, b.rank));
  return explain(problems[0].issue, document, schema as SchemaNode);
}

/** Of a choice that no branch accepts, the problems of the branch that was meant: the one whose type the value has. */
function flatten(issue: Issue, prefix: DocumentPath): Issue[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'invalid_union') {
    const meant = issue.errors.filter((branch) => !branch.some(isTypeMismatch));
    if (meant.length > 0) return meant[0].flatMap((inner) => flatten(inner, path));
  }
  // They come in the document's order, so the others need no look.
  if (issue.code === 'unrecognized_keys') return [{ ...issue, keys: issue.keys.slice(0, 1), path }];
  return [{ ...issue, path }];
}

function isTypeMismatch(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}

/** Ranks an issue by the position of each key of its path among its siblings, so that ranks compare as the document reads. */
function documentOrder(document: unknown): (issue: Issue) => number[] {
  const known = new Map<unknown, Map<string, number>>();
  const positions = (parent: unknown) => {
    const found = known.get(parent) ?? new Map(Object.keys(Object(parent)).map((key, position) => [key, position]));
    known.set(parent, found);
    return found;
  };
  return (issue) => {
    const path = issue.code === 'unrecognized_keys' ? [...issue.path, ...issue.keys] : issue.path;
    return path.map((key, depth) => {
      const parent = valueAt(document, path.slice(0, depth));
      return positions(parent).get(String(key)) ?? Number.MAX_SAFE_INTEGER;
    });
  };
}

function compareRanks(a: number[], b: number[]): number {
  const differing = a.findIndex((position, depth) => position !== b[depth]);
  return differing < 0 ? a.length - b.length : a[differing] - (b[differing] ?? -1);
}

function explain(issue: Issue, document: unknown, schema: SchemaNode): InputError {
  const nodes = nodesAt(schema, issue.path);
  const path = pathText(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const names = [...new Set(nodes.flatMap(keysOf))];
    return new InputError({
      path,
      found: `unknown key ${quoted(issue.keys[0])}`,
      expected: oneOf(names, issue.keys[0]),
    });
  }
  const value = valueAt(document, issue.path);
  if (issue.code === 'custom') {
    const [, found, expected] = FOUND_EXPECTED.exec(issue.message) ?? [];
    return new InputError({ path, found: found ?? quoted(value), expected: expected ?? issue.message });
  }
  const isPlainText = issue.code === 'invalid_format' && nodes.every((node) => !node.anyOf);
  const isEmptyList = issue.code === 'too_small' && issue.origin === 'array';
  const expected = isPlainText || isEmptyList ? undefined : expectation(nodes, value);
  return new InputError({ path, found: quoted(value), expected: expected ?? issue.message });
}

/** "one of a, b, c", with the nearest names first in mind: "…; nearest: b". */
function oneOf(names: readonly string[], found: unknown): string {
  const nearest = typeof found === 'string' ? nearestNames(found, names) : [];
  const list = names.length === 1 ? names[0] : `one of ${names.join(', ')}`;
  return nearest.length > 0 && names.length > 1 ? `${list}; nearest: ${nearest.join(', ')}` : list;
}

function nodesAt(root: SchemaNode, path: DocumentPath): SchemaNode[] {
  return path.reduce<SchemaNode[]>((nodes, key) => nodes.flatMap((node) => children(node, key)), [root]);
}

function children(node: SchemaNode, key: PropertyKey): SchemaNode[] {
  const inner = (node.anyOf ?? []).flatMap((branch) => children(branch, key));
  if (typeof key === 'number') return node.items ? [node.items, ...inner] : inner;
  const named = node.properties?.[String(key)];
  const rest = typeof node.additionalProperties === 'object' ? [node.additionalProperties] : [];
  return [...(named ? [named] : rest), ...inner];
}

function expectation(nodes: SchemaNode[], value: unknown): string | undefined {
  const texts = nodes.map((node) => nodeExpectation(node, value)).filter((text) => text !== undefined);
  return texts.length > 0 ? [...new Set(texts)].join(' or ') : undefined;
}

function nodeExpectation(node: SchemaNode, value: unknown): string | undefined {
  if (node.enum) return oneOf(node.enum.map(String), value);
  if (node.const !== undefined) return String(node.const);
  if (node.type === 'integer') return `a whole number${range(node)}`;
  if (node.type === 'number') return `a number${range(node)}`;
  if (node.type === 'boolean') return 'true or false';
  if (node.description && PHRASE.test(node.description)) return node.description;
  if (node.anyOf) return expectation(node.anyOf, value);
  if (node.type === 'object') return `a mapping${keys(node)}`;
  if (node.type === 'array') return 'a list';
  if (node.type === 'string')
    return node.maxLength === undefined ? 'text' : `text of 1 to ${node.maxLength} characters`;
  return undefined;
}

function range({ minimum, exclusiveMinimum, maximum }: SchemaNode): string {
  const least = minimum ?? exclusiveMinimum;
  const above = minimum === undefined && exclusiveMinimum !== undefined;
  if (least !== undefined && maximum !== undefined) return `${above ? ' above' : ' from'} ${least} to ${maximum}`;
  if (least !== undefined) return above ? ` above ${least}` : ` of at least ${least}`;
  return maximum !== undefined ? ` of at most ${maximum}` : '';
}

function keys(node: SchemaNode): string {
  const names = keysOf(node);
  return names.length > 0 ? ` with ${names.join(', ')}` : '';
}

function keysOf(node: SchemaNode): string[] {
  return [...Object.keys(node.properties ?? {}), ...(node.anyOf ?? []).flatMap(keysOf)];
}
