type Column = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/** Twice as long, with the same beginning. */
function doubled<T extends Column>(column: T): T {
  const longer = new (column.constructor as new (length: number) => T)(2 * column.length);
  longer.set(column);
  return longer;
}

/** Columns of equal length that grow together. */
export function grown<T extends Record<string, Column>>(columns: T): T {
  return Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, doubled(column)])) as T;
}

/** The first rows of each column, without copying. */
export function firstRows<T extends Record<string, Column>>(columns: T, rows: number): T {
  return Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, column.subarray(0, rows)])) as T;
}
