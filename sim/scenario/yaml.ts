import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  LineCounter,
  type Node,
  parseAllDocuments,
  visit,
} from 'yaml';
import { InputError } from './input-error.ts';
import { MAX_DEPTH, refuseEndlessNesting, tooDeep } from './nesting.ts';

/** More text than any scenario needs, and no more than the parser reads in a moment however it is made. */
const MAX_CHARACTERS = 1 << 16;
const MAX_ALIASES = 100;

/**
 * One YAML 1.2 (or JSON) document as plain data: maps, lists, text, numbers, booleans and null.
 * Refused with an InputError: bad syntax, several documents, tags of one's own, duplicate or compound keys, aliases that
 * contain themselves or multiply without end, nesting beyond 64 levels and more than 65536 characters.
 */
export function parseDocument(text: string): unknown {
  if (text.length > MAX_CHARACTERS) {
    throw new InputError({ found: `${text.length} characters`, expected: `at most ${MAX_CHARACTERS}` });
  }
  if (text.includes('\0')) throw new InputError({ found: 'binary data', expected: 'YAML or JSON text' });
  refuseDeepBrackets(text);
  const lines = new LineCounter();
  const documents = parse(text, lines);
  if (documents.length === 0) throw new InputError({ found: 'nothing', expected: 'a YAML or JSON document' });
  if (documents.length > 1) throw new InputError({ found: `${documents.length} documents`, expected: 'one' });
  const [document] = documents;
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem) {
    if (problem.message.includes('call stack')) throw tooDeep();
    throw new InputError({
      path: lineOf(lines, problem.pos[0]),
      found: syntaxProblem(problem.message),
      expected: 'YAML or JSON',
    });
  }
  refuseUnplainNodes(document.contents, lines);
  const data = plainData(document);
  refuseEndlessNesting(data);
  return data;
}

function plainData(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    const { message } = error as Error;
    if (!message.startsWith('Excessive alias'))
      throw new InputError({ found: syntaxProblem(message), expected: 'YAML or JSON' });
    throw new InputError({
      found: 'aliases that multiply without end',
      expected: `at most ${MAX_ALIASES} uses of aliases`,
    });
  }
}

function parse(text: string, lineCounter: LineCounter) {
  try {
    // Duplicate keys are looked for below: the parser's own check is quadratic in the number of keys.
    const options = {
      version: '1.2',
      schema: 'core',
      logLevel: 'silent',
      prettyErrors: false,
      uniqueKeys: false,
    } as const;
    const documents = parseAllDocuments(text, { ...options, lineCounter });
    return 'empty' in documents ? [] : documents;
  } catch (error) {
    if (error instanceof RangeError) throw tooDeep();
    throw new InputError({ found: syntaxProblem(String(error)), expected: 'YAML or JSON' });
  }
}

/** Brackets nested without end would overflow the parser's stack; those inside quotes or comments hardly come in dozens. */
function refuseDeepBrackets(text: string): void {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1);
    if (depth > MAX_DEPTH) throw tooDeep();
  }
}

function refuseUnplainNodes(contents: Node | null, lines: LineCounter): void {
  const anchors = new Map<string, Node>();
  visit(contents, {
    Node(_, node, ancestors) {
      if (ancestors.length > 2 * MAX_DEPTH) throw tooDeep();
      if (isAlias(node)) {
        const meant = anchors.get(node.source);
        if (meant === undefined || !ancestors.includes(meant)) return;
        const path = lineOf(lines, node.range?.[0] ?? 0);
        throw new InputError({
          path,
          found: `the alias *${node.source} inside what it stands for`,
          expected: 'an alias that does not contain itself',
        });
      }
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
      if (!isMap(node)) return;
      const keys = new Set<string>();
      for (const { key } of node.items) {
        const path = lineOf(lines, (key as Node | null)?.range?.[0] ?? 0);
        if (isCollection(key) || isAlias(key))
          throw new InputError({ path, found: 'a compound key', expected: 'a plain key' });
        const name = String(isScalar(key) ? key.value : key);
        if (name === '__proto__') throw new InputError({ path, found: 'the key "__proto__"', expected: 'another key' });
        if (keys.has(name)) {
          throw new InputError({
            path,
            found: `the key ${JSON.stringify(name)} a second time`,
            expected: 'every key once',
          });
        }
        keys.add(name);
      }
    },
  });
}

function lineOf(lines: LineCounter, offset: number): string {
  return `line ${Math.max(1, lines.linePos(offset).line)}`;
}

function syntaxProblem(message: string): string {
  return `bad syntax (${message.replace(/\s+/g, ' ').slice(0, 120)})`;
}
