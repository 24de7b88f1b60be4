/** Numbers as the page writes them. */

/** A share as percent: `0.68 %`, `22.6 %`; a dash where it is undefined. */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return '–';
  const value = 100 * share;
  const digits = value !== 0 && Math.abs(value) < 1 ? 2 : 1;
  return `${value === 0 || value === 100 ? value : value.toFixed(digits)}\u00a0%`;
}

/** Two ends of an interval of shares: `0.2–1.7 %`. */
export const percentInterval = ([low, high]: readonly [number, number]): string =>
  `${percent(low).replace('\u00a0%', '')}–${percent(high)}`;

/** A raw score or another number without a natural scale. */
export function raw(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  const isFar = size !== 0 && (size < 1e-3 || size >= 1e6);
  return isFar ? value.toExponential(digits - 1) : String(Number(value.toPrecision(digits)));
}

/** A metric, with three decimals; a dash where it has no value. */
export const fixed = (value: number | null | undefined, digits = 3): string =>
  value === null || value === undefined || !Number.isFinite(value) ? '–' : value.toFixed(digits);

/** A count with thousands set apart. */
export const whole = (n: number): string => n.toLocaleString('en-GB');

/** `1 item`, `2 items`. */
export const many = (n: number, one: string, more: string): string => `${whole(n)} ${n === 1 ? one : more}`;

/** A time as people read it. */
export const moment = (iso: string): string =>
  new Date(iso).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

/** The end of a path by which an item is known: versions name files by their way from the project. */
export const shortId = (id: string): string => {
  const parts = id.split('/');
  return id.startsWith('../') ? parts.slice(-3).join('/') : id;
};
