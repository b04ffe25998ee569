type Column = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/** Twice as long, with the same beginning. */
function doubled<T extends Column>(column: T): T {
  const longer = new (column.constructor as new (length: number) => T)(2 * column.length);
  longer.set(column);
  return longer;
}

/** Columns of equal length that grow together. */
export function grown<T extends Record<string, Column>>(columns: T): T {
  // Copied, not made from entries: objects of one hidden class keep reading and writing them fast.
  const longer = { ...columns };
  for (const name of Object.keys(columns) as (keyof T)[]) longer[name] = doubled(columns[name]);
  return longer;
}

/** The first rows of each column, without copying. */
export function firstRows<T extends Record<string, Column>>(columns: T, rows: number): T {
  const first = { ...columns };
  for (const name of Object.keys(columns) as (keyof T)[]) first[name] = columns[name].subarray(0, rows) as T[keyof T];
  return first;
}
