/**
 * Input that cannot mean anything: the command line exits with 2.
 * `path` is where in the document (`workload.batch`), empty for the document itself.
 */
export class InputError extends Error {
  readonly path: string;
  readonly found: string;
  readonly expected: string;
  /** File the input came from; filled in by whoever knows it. */
  file: string | undefined;

  constructor(details: { path?: string; found: string; expected: string; file?: string }) {
    super();
    this.name = 'InputError';
    this.path = details.path ?? '';
    this.found = details.found;
    this.expected = details.expected;
    this.file = details.file;
  }

  override get message(): string {
    const where = [this.file, this.path].filter((part) => part).join(': ');
    return `${where ? `${where}: ` : ''}found ${this.found}, expected ${this.expected}`;
  }
}
