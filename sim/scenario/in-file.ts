import { InputError } from './input-error.ts';

/** Does the work; an InputError from it that names no file yet gets this one. */
export function inFile<T>(file: string | undefined, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof InputError) error.file ??= file;
    throw error;
  }
}
