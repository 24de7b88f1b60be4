/** Dates and times as texts and as numbers since 1970; without a zone they are taken as UTC. */

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const clock = String.raw`(?<h>\d{1,2}):(?<min>\d{2})(?::(?<s>\d{2})(?:[.,](?<f>\d+))?)?\s*(?<half>[pa]\.?m\.?)?`;
const zone = String.raw`\s*(?<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?(?:\s*\[[^\]]*\])?`;
const behind = `(?:[T ,]+${clock}${zone})?`;
const weekday = '(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\\.?,? +)?';
const shape = (date: string) => new RegExp(`^${weekday}${date}${behind}$`, 'i');

/** How times are written. */
const shapes = {
  'year first': shape(String.raw`(?<y>\d{4})[-/.](?<m>\d{1,2})[-/.](?<d>\d{1,2})`),
  'day first': shape(String.raw`(?<d>\d{1,2})[-/.](?<m>\d{1,2})[-/.](?<y>\d{4}|\d{2})`),
  'month first': shape(String.raw`(?<m>\d{1,2})[-/.](?<d>\d{1,2})[-/.](?<y>\d{4}|\d{2})`),
  'month by name': shape(String.raw`(?<d>\d{1,2})[- .]+(?<name>[a-z]{3,9})[- .,]+(?<y>\d{4}|\d{2})`),
  'month name first': shape(String.raw`(?<name>[a-z]{3,9})[- .]+(?<d>\d{1,2})(?:st|nd|rd|th)?,? +(?<y>\d{4})`),
  'month name, year last': new RegExp(
    String.raw`^${weekday}(?<name>[a-z]{3}) +(?<d>\d{1,2}) +${clock} +(?:[a-z]{3,4} +)?(?<y>\d{4})$`,
    'i',
  ),
  month: /^(?<y>\d{4})-(?<m>\d{2})$/,
  'without separators': /^(?<y>(?:19|20)\d{2})(?<m>\d{2})(?<d>\d{2})(?:[T ]?(?<h>\d{2})(?<min>\d{2})(?<s>\d{2})?)?Z?$/,
  clock: new RegExp(`^${clock}${zone}$`, 'i'),
} as const;

export const timeForms = Object.keys(shapes) as readonly TextForm[];
type TextForm = keyof typeof shapes;
const units = { seconds: 1e3, milliseconds: 1, microseconds: 1e-3, nanoseconds: 1e-6 } as const;
/** How the times of a column are written: a date of some order, or numbers since 1970. */
export type TimeForm = TextForm | keyof typeof units;

/** Milliseconds since 1970 (of a clock alone, since midnight); NaN for what is no time of this form. */
export function readTime(text: string, form: TimeForm): number {
  if (form in units) return text === '' ? Number.NaN : Number(text) * units[form as keyof typeof units];
  const found = shapes[form as TextForm].exec(text)?.groups;
  if (!found) return Number.NaN;
  const year = found.y === undefined ? 1970 : found.y.length === 2 ? 2000 + Number(found.y) : Number(found.y);
  const named = found.name === undefined ? undefined : months.indexOf(found.name.slice(0, 3).toLowerCase()) + 1;
  const month = named ?? Number(found.m ?? 1);
  const day = Number(found.d ?? 1);
  const [hour, minute, second] = [Number(found.h ?? 0), Number(found.min ?? 0), Number(found.s ?? 0)];
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 24 || minute > 59 || second > 60) return Number.NaN;
  const half = found.half?.[0].toLowerCase();
  const hours = half === undefined ? hour : (hour % 12) + (half === 'p' ? 12 : 0);
  const fraction = found.f === undefined ? 0 : 1000 * Number(`0.${found.f}`);
  return Date.UTC(year, month - 1, day, hours, minute, second) + fraction - shiftOf(found.zone);
}

/** Milliseconds by which a zone is ahead of UTC. */
function shiftOf(text: string | undefined): number {
  const found = /^([+-])(\d{2}):?(\d{2})?$/.exec(text ?? '');
  if (!found) return 0;
  return (found[1] === '-' ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3] ?? 0)) * 60_000;
}

/** The form in which all these texts are times; of day and month first, day first unless a day stands second. */
export const timeFormOf = (texts: readonly string[]): TimeForm | undefined =>
  texts.length === 0 ? undefined : timeForms.find((form) => texts.every((text) => !Number.isNaN(readTime(text, form))));

/** The unit in which numbers count since 1970, where all lie between 1990 and 2100: plausible, not proven. */
export function epochOf(low: number, high: number): keyof typeof units | undefined {
  const [from, to] = [Date.UTC(1990, 0), Date.UTC(2100, 0)];
  return (Object.keys(units) as (keyof typeof units)[]).find(
    (unit) => low * units[unit] >= from && high * units[unit] < to,
  );
}

/** What a time becomes as numbers. */
export const timeParts = ['hour', 'weekday', 'gap'] as const;
export type TimePart = (typeof timeParts)[number];

/** Hour of the day [0, 24), weekday (Monday 0 … Sunday 6), seconds since the time before; UTC. */
export function timePart(time: number, before: number, part: TimePart): number {
  const day = 86_400_000;
  if (part === 'hour') return (((time % day) + day) % day) / 3_600_000;
  if (part === 'weekday') return (((Math.floor(time / day) + 3) % 7) + 7) % 7;
  return (time - before) / 1000;
}

/** A length of time in its largest unit: `5 minutes`, `1.5 hours`. */
export function durationText(ms: number): string {
  const sizes = [
    ['day', 86_400_000],
    ['hour', 3_600_000],
    ['minute', 60_000],
    ['second', 1000],
  ] as const;
  const [unit, size] = sizes.find(([, length]) => ms >= length) ?? ['millisecond', 1];
  const count = String(Number((ms / size).toPrecision(4)));
  return `${count} ${unit}${count === '1' ? '' : 's'}`;
}

/** A time in UTC to the second, without a zone: `2024-05-01 06:00:00`. */
export function timeText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? `${ms} ms` : date.toISOString().slice(0, 19).replace('T', ' ');
}
