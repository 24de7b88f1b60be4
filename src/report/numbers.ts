/** Numbers as a report writes them. */

/** A number with some decimals, or a dash where it is undefined. */
export function fixed(value: number | null | undefined, digits = 3): string {
  return value === null || value === undefined || !Number.isFinite(value) ? '–' : value.toFixed(digits);
}

/** A share as percent: `0.68 %`, `22.6 %`, with a space that does not break; a dash where it is undefined. */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return '–';
  const value = 100 * share;
  const digits = value !== 0 && Math.abs(value) < 1 ? 2 : 1;
  return `${value === 0 || value === 100 ? value : value.toFixed(digits)}\u00a0%`;
}

/** A share that somebody asked for, without needless zeros: `1 %`. */
export function rate(share: number): string {
  return `${Number((100 * share).toPrecision(6))}\u00a0%`;
}

/** Two ends of an interval of shares: `0.2–1.7 %`. */
export function percentInterval([low, high]: readonly [number, number]): string {
  return `${percent(low).replace('\u00a0%', '')}–${percent(high)}`;
}

/** A raw score, a loss or another number without a natural scale: four significant digits. */
export function raw(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  const isFar = size !== 0 && (size < 1e-3 || size >= 1e6);
  return isFar ? value.toExponential(digits - 1) : String(Number(value.toPrecision(digits)));
}

/** As `raw`, with as many digits more as tell different values apart: 4.7003 and 4.7012 rather than twice 4.7. */
export function apart(values: readonly number[]): string[] {
  const different = new Set(values).size;
  for (let digits = 4; digits < 9; digits++) {
    const texts = values.map((value) => raw(value, digits));
    if (new Set(texts).size === different) return texts;
  }
  return values.map((value) => raw(value, 9));
}

/** A count with thousands set apart. */
export function whole(n: number): string {
  return n.toLocaleString('en-GB');
}

/** Seconds in a unit that reads well. */
export function seconds(s: number): string {
  if (s < 60) return `${s.toFixed(s < 10 ? 1 : 0)} s`;
  const minutes = Math.round(s / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `1 item`, `2 items`. */
export function many(n: number, one: string, more = `${one}s`): string {
  return `${whole(n)} ${n === 1 ? one : more}`;
}
