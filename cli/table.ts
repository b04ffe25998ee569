/** A column of a table for people; the unit, if any, stands below the title. */
export interface Column<Row> {
  title: string;
  unit?: string;
  /** Digits after the point; left out: as many as the smallest number needs to keep three. */
  decimals?: number;
  /** Text is aligned left, numbers right; null is shown as a dash. */
  value: (row: Row) => string | number | null;
}

const SIGNIFICANT_DIGITS = 3;

/** Lines of a table: title, units where a column has one, then the rows. */
export function tableLines<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const cells = columns.map((column) => columnCells(column, rows));
  const head = [columns.map(({ title }) => title), columns.map(({ unit }) => unit ?? '')];
  const lines = columns.some(({ unit }) => unit) ? head : head.slice(0, 1);
  const widths = cells.map(({ texts }, i) =>
    Math.max(...lines.map((line) => line[i].length), ...texts.map((text) => text.length)),
  );
  for (let row = 0; row < rows.length; row++) lines.push(cells.map(({ texts }) => texts[row]));
  return lines.map((line) =>
    line
      .map((text, i) => (cells[i].numeric ? text.padStart(widths[i]) : text.padEnd(widths[i])))
      .join('  ')
      .trimEnd(),
  );
}

function columnCells<Row>(column: Column<Row>, rows: readonly Row[]): { numeric: boolean; texts: string[] } {
  const values = rows.map((row) => column.value(row));
  const decimals = column.decimals ?? decimalsFor(values.filter((value) => typeof value === 'number'));
  const texts = values.map((value) => (typeof value === 'number' ? grouped(value, decimals) : (value ?? '–')));
  return { numeric: values.some((value) => typeof value === 'number'), texts };
}

/** Decimals that leave the smallest non-zero number its significant digits; none where all are whole. */
function decimalsFor(numbers: number[]): number {
  if (numbers.every(Number.isInteger)) return 0;
  const least = Math.min(...numbers.map(Math.abs).filter((size) => size > 0));
  return Math.min(6, Math.max(0, SIGNIFICANT_DIGITS - 1 - Math.floor(Math.log10(least))));
}

/** A number with its thousands apart and a minus sign, not a hyphen. */
function grouped(value: number, decimals: number): string {
  const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return value.toLocaleString('en-US', digits).replace('-', '−');
}
