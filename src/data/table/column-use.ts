/** What training makes of a column, by the evidence of its cells, and the reason in words. */
import { formWords } from './number-forms.ts';
import { MOST_DISTINCT, type Profile } from './profile.ts';

/** What a column may be; `time` becomes hour, weekday and gap, `ignore` leaves it out. */
export const columnKinds = ['numeric', 'categorical', 'time', 'label', 'ignore'] as const;
export type ColumnKind = (typeof columnKinds)[number];

/** A decision and its reason. */
export interface ColumnUse {
  readonly kind: 'numeric' | 'categorical' | 'ignore';
  /** What the column holds, in a few words. */
  readonly content: string;
  /** Why it is left out; absent where it is used. */
  readonly why?: string;
}

/** Rows from which on a column of different values may be an identifier: below, everything differs. */
const ENOUGH = 20;
/** Texts of one column: each becomes an input of its own. */
export const MOST_TEXTS = 1000;

const use = (kind: ColumnUse['kind'], content: string, why?: string): ColumnUse => ({
  kind,
  content,
  ...(why !== undefined && { why }),
});

/** Decides what a column is. `name` is empty for a column without a name. */
export function useOf(name: string, found: Profile): ColumnUse {
  const { rows, missing, distinct } = found;
  const present = rows - missing - found.badCount;
  if (present === 0) return use('ignore', 'empty', 'it is empty');
  if (found.time && (found.texts || isTimeColumn(name, found))) {
    return use('ignore', 'times', 'it holds times, which no row repeats');
  }
  if (distinct === 1) return found.texts ? use('categorical', 'one text') : use('numeric', 'one number');
  return found.texts ? useOfTexts(name, found, present) : useOfNumbers(name, found, present);
}

/** Numbers that could be times are times where the name says so, or where they only rise. */
function isTimeColumn(name: string, { numbers, isUnique, time }: Profile): boolean {
  if (/time|date|stamp|epoch|when|unix|(^|[_ ])(ts|dt|at)$|^t$/i.test(name)) return true;
  return time === 'without separators' ? !isUnique : isUnique && numbers !== undefined && trendOf(numbers) !== 'none';
}

function useOfNumbers(name: string, found: Profile, present: number): ColumnUse {
  const { numbers = new Float64Array(), distinct, isUnique, missing, form } = found;
  const isWhole = numbers.every((v) => Number.isNaN(v) || Number.isInteger(v));
  const content = form ? formWords[form] : isWhole ? 'whole numbers' : 'numbers';
  if (present < ENOUGH || form) return use('numeric', content);
  const trend = missing > 0 ? 'none' : trendOf(numbers);
  if (isUnique && trend === 'steps') return use('ignore', 'counter', 'it counts the rows in equal steps');
  if (!isWhole) return use('numeric', content);
  if (isUnique && trend === 'rises')
    return use('ignore', 'counter', 'it holds whole numbers that rise from row to row');
  const isNamedId = namesIdentifier(name);
  if (isNamedId && distinct > Math.max(ENOUGH, 0.02 * present)) {
    return use('ignore', 'identifiers', 'by its name it identifies something');
  }
  if (isUnique && present >= 100 && digitsOf(numbers) >= 5) {
    return use('ignore', 'identifiers', 'it holds whole numbers of equal length that no row repeats');
  }
  return use('numeric', content);
}

function useOfTexts(name: string, { texts, distinct }: Profile, present: number): ColumnUse {
  const { values = [] } = texts ?? {};
  if (present < ENOUGH || distinct <= ENOUGH / 2) return use('categorical', 'texts');
  const words =
    values.slice(0, MOST_DISTINCT).reduce((n, text) => n + text.split(/\s+/).length, 0) /
    Math.min(values.length, MOST_DISTINCT);
  if (words >= 4 && distinct > 0.1 * present) return use('ignore', 'free text', 'it holds free text');
  if (distinct > 0.5 * present) return use('ignore', 'identifiers', 'nearly every row has a text of its own');
  if (namesIdentifier(name) && distinct > 50)
    return use('ignore', 'identifiers', 'by its name it identifies something');
  if (distinct > MOST_TEXTS)
    return use('ignore', 'texts', `it has more than ${MOST_TEXTS} different texts, each of which would be an input`);
  return use('categorical', 'texts');
}

/** `id`, `userId`, `order_no` and the like. */
function namesIdentifier(name: string): boolean {
  const tokens = name
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u);
  const marks = [
    'id',
    'ids',
    'uid',
    'uuid',
    'guid',
    'index',
    'idx',
    'key',
    'pk',
    'rowid',
    'objid',
    'serial',
    'sn',
    'barcode',
    'hash',
    'ref',
    'reference',
    'unnamed',
  ];
  const last = tokens.at(-1) ?? '';
  if (tokens.length > 1 && ['no', 'nr', 'num', 'number'].includes(last)) return true;
  return tokens.some((token) => marks.includes(token)) || /^[a-z]{2,}id$/.test(last);
}

/** How a column goes on from row to row: in equal steps, rising (or falling) strictly, or neither. */
function trendOf(numbers: Float64Array): 'steps' | 'rises' | 'none' {
  const n = numbers.length;
  if (n < 2) return 'none';
  const step = (numbers[n - 1] - numbers[0]) / (n - 1);
  let isEven = step !== 0;
  for (let i = 1; i < n; i++) {
    const change = numbers[i] - numbers[i - 1];
    if (!(change * step > 0)) return 'none';
    if (Math.abs(change - step) > 1e-3 * Math.abs(step)) isEven = false;
  }
  return isEven ? 'steps' : 'rises';
}

/** Digits of whole numbers, where all have as many; else 0. */
function digitsOf(numbers: Float64Array): number {
  let digits = 0;
  for (const value of numbers) {
    if (Number.isNaN(value)) continue;
    const own = String(Math.abs(value)).length;
    if (digits !== 0 && own !== digits) return 0;
    digits = own;
  }
  return digits;
}
