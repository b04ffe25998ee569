import { NO_TOKENS, type SplitTokens, WAYS } from '../schedule/split-tokens.ts';
import { InputError } from './input-error.ts';
import type { SplitRequest, TokenShare } from './scenario.ts';

/**
 * The asked split in whole tokens of a context: boundaries are rounded, so the four counts add up to it; what is not
 * named is transferred. A request beyond the context, or one that names every token's way and misses some, is an InputError.
 */
export function splitTokens(request: SplitRequest, contextTokens: number): SplitTokens {
  const asked = WAYS.reduce((sum, way) => sum + tokensOf(request[way], contextTokens), 0);
  // Half a token of slack: percentages need not be whole tokens.
  if (asked > contextTokens + 0.5) {
    throw new InputError({
      path: 'split',
      found: sumText(request, asked),
      expected: contextText('at most', contextTokens),
    });
  }
  if (request.transferred && asked < contextTokens - 0.5) {
    const expected = `${contextText('exactly', contextTokens)}, or no "transferred": it takes what is left`;
    throw new InputError({ path: 'split', found: sumText(request, asked), expected });
  }
  const split = { ...NO_TOKENS };
  let sum = 0;
  let boundary = 0;
  for (const way of ['resident', 'recomputed', 'hostAttended'] as const) {
    sum += tokensOf(request[way], contextTokens);
    const next = Math.min(contextTokens, Math.round(sum));
    split[way] = next - boundary;
    boundary = next;
  }
  split.transferred = contextTokens - boundary;
  return split;
}

function tokensOf(share: TokenShare | undefined, contextTokens: number): number {
  if (share === undefined) return 0;
  return 'tokens' in share ? share.tokens : share.fraction * contextTokens;
}

function sumText(request: SplitRequest, sum: number): string {
  const terms = WAYS.flatMap((way) => {
    const share = request[way];
    return share ? [`${way} ${'tokens' in share ? share.tokens : `${round(100 * share.fraction)}%`}`] : [];
  });
  return `${terms.join(' + ')} = ${round(sum)} tokens`;
}

const contextText = (how: string, tokens: number) => `${how} the context's ${tokens} tokens (promptTokens)`;

const round = (value: number) => Math.round(value * 100) / 100;
