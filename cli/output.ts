/** Writes one line, or several, to standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Writes the one JSON document of a command to standard output. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** Writes a remark to standard error, where it does not disturb what a program reads. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Bold on a terminal, plain elsewhere and where NO_COLOR asks for it. */
export function bold(text: string): string {
  return hasColour(process.stdout) ? `\u001b[1m${text}\u001b[22m` : text;
}

/** Dimmed on a terminal, plain elsewhere and where NO_COLOR asks for it. */
export function dim(text: string): string {
  return hasColour(process.stdout) ? `\u001b[2m${text}\u001b[22m` : text;
}

function hasColour(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
}

/** Does work that takes a while; on a terminal a line says meanwhile how far it is. */
export function withProgress<T>(label: string, work: (report: (done: number, of: number) => void) => T): T {
  const { stderr } = process;
  if (!stderr.isTTY) return work(() => {});
  stderr.write(`${label} …`);
  try {
    return work((done, of) => stderr.write(`\r\u001b[K${label}: ${done} of ${of}`));
  } finally {
    stderr.write('\r\u001b[K');
  }
}
