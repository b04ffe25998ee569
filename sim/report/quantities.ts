/** A unit of time for an axis: multiply seconds by `perSecond`. */
export interface TimeUnit {
  name: 's' | 'ms' | 'µs';
  perSecond: number;
}

/** The unit in which durations up to `seconds` read well. */
export function timeUnit(seconds: number): TimeUnit {
  if (seconds >= 10) return { name: 's', perSecond: 1 };
  if (seconds >= 1e-3) return { name: 'ms', perSecond: 1e3 };
  return { name: 'µs', perSecond: 1e6 };
}

/** Three significant digits, or all those before the point, thousands separated; whole numbers as they are: 0.123, 12.3, 12, 1,234. */
export function readable(value: number): string {
  const decimals = Number.isInteger(value) ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  const [whole, fraction] = value.toFixed(Math.min(decimals, 20)).split('.');
  const separated = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction ? `${separated}.${fraction}` : separated;
}

/** A share of 0 to 1 in whole percent; what is not quite nothing is said to be less than one. */
export function percent(share: number): string {
  return share > 0 && share < 0.005 ? '<1 %' : `${Math.round(share * 100)} %`;
}
