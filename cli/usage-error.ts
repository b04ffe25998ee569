/** A command line that cannot mean anything. */
export class UsageError extends Error {
  override name = 'UsageError';
}
