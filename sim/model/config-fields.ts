import { InputError } from '../scenario/input-error.ts';
import { quoted } from '../scenario/path.ts';

/** The range of a whole number, from 1 unless `least` is given, and its value where the field is absent. */
export interface IntegerField {
  most: number;
  least?: number;
  fallback?: number;
}

/**
 * Typed access to the fields of a config.json, in which null counts as absent. Every reader throws an InputError
 * that names the field, what was found and what was expected.
 */
export class ConfigFields {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #prefix: string;

  /** `prefix` is where the object lies in the config, empty for the config itself. */
  constructor(fields: unknown, prefix = '') {
    if (!isObject(fields)) {
      throw new InputError({
        path: prefix,
        found: quoted(fields),
        expected: 'an object with the fields of a config.json',
      });
    }
    this.#fields = fields;
    this.#prefix = prefix;
  }

  /** Whether the field is written, be it as null. */
  has(key: string): boolean {
    return Object.hasOwn(this.#fields, key);
  }

  /** Those of the fields that are absent. */
  lacking(keys: readonly string[]): string[] {
    return keys.filter((key) => this.#value(key) === undefined);
  }

  integer(key: string, { most, least = 1, fallback }: IntegerField): number {
    const value = this.#value(key) ?? fallback;
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    throw this.refusal(key, `a whole number from ${least} to ${most}`);
  }

  /** As `integer`, undefined where the field is absent. */
  optionalInteger(key: string, range: { most: number }): number | undefined {
    return this.#value(key) === undefined ? undefined : this.integer(key, range);
  }

  flag(key: string, fallback: boolean): boolean {
    const value = this.#value(key) ?? fallback;
    if (typeof value === 'boolean') return value;
    throw this.refusal(key, 'true or false');
  }

  list(key: string): readonly unknown[] | undefined {
    const value = this.#value(key);
    if (value === undefined || Array.isArray(value)) return value;
    throw this.refusal(key, 'a list');
  }

  optionalText(key: string): string | undefined {
    const value = this.#value(key);
    if (value === undefined || typeof value === 'string') return value;
    throw this.refusal(key, 'text');
  }

  /** The fields of an object within this one. */
  nested(key: string): ConfigFields {
    return new ConfigFields(this.#value(key), this.path(key));
  }

  path(key: string): string {
    return this.#prefix ? `${this.#prefix}.${key}` : key;
  }

  /** The error for the field as it is. */
  refusal(key: string, expected: string): InputError {
    return new InputError({ path: this.path(key), found: quoted(this.#value(key)), expected });
  }

  #value(key: string): unknown {
    return this.has(key) ? (this.#fields[key] ?? undefined) : undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
