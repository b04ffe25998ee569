import { Presets, SingleBar } from 'cli-progress';

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

/** Does work that takes a while; on a terminal a bar shows meanwhile how far it is. */
export function withProgress<T>(label: string, work: (report: (done: number, of: number) => void) => T): T {
  if (!process.stderr.isTTY) return work(() => {});
  const bar = new SingleBar(
    { format: `${label} {bar} {value} of {total}`, clearOnComplete: true },
    Presets.shades_classic,
  );
  try {
    return work((done, of) => {
      if (!bar.isActive) bar.start(of, 0);
      bar.update(done);
      // The work holds the thread, so that the bar's own timer never fires.
      bar.render();
    });
  } finally {
    bar.stop();
  }
}
