/** What a person should know of a table before a detector learns from it. */
import { option, type Said, say } from '../../core/text.ts';
import type { FoundLabels, Labels } from './labels.ts';
import { formWords } from './number-forms.ts';
import type { Profile } from './profile.ts';
import type { Rows } from './rows.ts';
import type { ColumnFacts, LabelledTable, Table, TableOptions } from './table.ts';
import { durationText } from './times.ts';

/** Something about a table that may need an answer. */
export interface TableRemark {
  readonly code: string;
  readonly message: Said;
}

interface Told {
  readonly raw: Rows;
  readonly facts: readonly ColumnFacts[];
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly labels: Labels;
  readonly table: Table;
  readonly times: LabelledTable['times'];
  readonly label?: string;
  /** Where nobody named the labels. */
  readonly found?: FoundLabels;
  /** The line of units that was left out. */
  readonly units?: string;
  /** What the caller says that the rows are. */
  readonly kind?: TableOptions['kind'];
  readonly ofRows?: boolean;
}

/** The table in one sentence, and the remarks. */
export function tellTable(told: Told): Pick<LabelledTable, 'explanation' | 'remarks'> {
  const { raw, units } = told;
  const remarks: TableRemark[] = [];
  const add = (code: string, message: Said | undefined) => message && remarks.push({ code, message });
  if (units !== undefined) add('units', `${raw.file}: ${units} is read as a line of units and left out.`);
  add('columns-left-out', leftOut(told));
  add('number-forms', forms(told));
  add('sentinels', sentinels(told));
  add('labels-found', labelsFound(told));
  add('perhaps-labels', perhapsLabels(told));
  add('gives-labels-away', givesAway(told));
  add('looks-like-series', looksLikeSeries(told));
  return { explanation: explain(told), remarks };
}

/** The columns that are left out, and why. */
export function leftOut({ raw, facts }: Pick<Told, 'raw' | 'facts'>): Said | undefined {
  const left = facts.filter(({ kind, why }) => kind === 'ignore' && why !== 'as asked');
  if (left.length === 0) return undefined;
  const named = left.slice(0, 8).map(({ name, why, content, examples }) => {
    const example = content === 'empty' || examples.length === 0 ? '' : `, such as ${examples[0]}`;
    return `${name} (${why}${example})`;
  });
  const more = left.length > 8 ? ` and ${left.length - 8} more` : '';
  const used = left.find(({ content }) => content !== 'empty') ?? left[0];
  if (used.content === 'empty') return `${raw.file}: left out: ${named.join(', ')}${more}.`;
  const kind = used.content === 'times' ? 'time' : used.content === 'counter' || used.range ? 'numeric' : 'categorical';
  const meaning = kind === 'time' ? ', as hour, weekday and gap' : '';
  return say`${raw.file}: left out: ${named.join(', ')}${more}. Use one with ${option(['columns', used.name], kind)}${meaning}.`;
}

function forms({ raw, profiles }: Told): Said | undefined {
  const read = [...profiles].flatMap(([name, { form, numbers, texts: _, examples }]) =>
    form && numbers ? [`${name} as ${formWords[form]} (${examples.find((e) => !/^\d+$/.test(e)) ?? examples[0]})`] : [],
  );
  if (read.length === 0) return undefined;
  const more = read.length > 8 ? ` and ${read.length - 8} more` : '';
  return say`${raw.file}: reads ${read.slice(0, 8).join(', ')}${more}. If a comma means something else, say so with ${option('decimal', '<mark>')}.`;
}

/** Numbers that loggers write where they have no value. */
const writtenForGaps = [-1, -99, -200, -999, -9999, -99999, 99, 999, 9999, 99999, -32768, 32767, 65535];

/** Values such as −999 that lie far outside all others. */
function sentinels({ raw, profiles }: Told): Said | undefined {
  const found: { name: string; value: number; count: number; range: string }[] = [];
  for (const [name, { numbers, range, badCount }] of profiles) {
    if (!numbers || !range || badCount > 0) continue;
    for (const value of writtenForGaps) {
      if (value !== range[0] && value !== range[1]) continue;
      let [low, high, count] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
      for (const v of numbers) {
        if (v === value) count++;
        else if (!Number.isNaN(v)) [low, high] = [Math.min(low, v), Math.max(high, v)];
      }
      const away = value < low ? low - value : value - high;
      const isFar =
        high > low && away > Math.max(high - low, Math.abs(value) / 2) && !(value === -1 && low > 0 && count === 1);
      if (isFar && count < numbers.length / 2)
        found.push({ name, value, count, range: `${short(low)} to ${short(high)}` });
    }
  }
  if (found.length === 0) return undefined;
  const told = found
    .slice(0, 6)
    .map((f) => `${f.name} is ${f.value} in ${f.count} ${f.count === 1 ? 'row' : 'rows'} (else ${f.range})`);
  const values = [...new Set(found.map((f) => f.value))].join(',');
  return say`${raw.file}: ${told.join('; ')}${found.length > 6 ? `; and ${found.length - 6} more columns` : ''}. If that means a missing
    value, say so with ${option('missing', values)}.`;
}

const short = (value: number) => String(Number(value.toPrecision(4)));

function labelsFound({ raw, found, labels, label }: Told): Said | undefined {
  if (label === undefined || labels.normalClass === undefined) return undefined;
  const normals = labels.labels.reduce((n, code) => n + Number(code === 0), 0);
  if (normals < raw.rows / 2) {
    return say`${raw.file}: most rows are anomalous by ${label} (${raw.rows - normals} of ${raw.rows}). If its values mean the opposite,
      name the normal one with ${option('folderNames.normal', '<value>')}.`;
  }
  if (!found || found.why === 'by its name') return undefined;
  return say`${raw.file}: takes ${label} for the labels, ${found.why}: ${normals} normal, ${raw.rows - normals} anomalous. If they are
    none, say ${option(['columns', label], 'numeric')}; other words for normal: ${option('folderNames.normal', '<value>')}.`;
}

/** Where no labels were found: a last column, or one that says is or has, of two values of which one is rare. */
function perhapsLabels({ raw, facts, profiles, label }: Told): Said | undefined {
  if (label !== undefined) return undefined;
  const last = facts.at(-1)?.name;
  for (const [name, { numbers, distinct, range, rows }] of profiles) {
    if (!numbers || distinct !== 2 || range?.[0] !== 0 || range[1] !== 1) continue;
    const ones = numbers.reduce((n, v) => n + Number(v === 1), 0);
    const isTelling = name === last || /^(is|has|was)(?=[_ A-Z])/.test(name);
    if (!isTelling || ones > 0.2 * rows) continue;
    return say`${raw.file}: ${name} holds 0 and 1, and ${ones} of ${rows} rows have 1. It is taken for a number like others: if it holds
      the labels, say ${option(['columns', name], 'label')}.`;
  }
  return undefined;
}

/** Columns of which every value belongs to normal rows only or to anomalous ones only. */
function givesAway({ raw, table, labels, label }: Told): Said | undefined {
  if (label === undefined || labels.normalClass === undefined) return undefined;
  const isOdd = Uint8Array.from(labels.labels, (code) => Number(code !== 0));
  const odd = isOdd.reduce((n, y) => n + y, 0);
  if (odd < 5 || table.rows - odd < 5) return undefined;
  const width = table.columns.length;
  const names = table.columns.flatMap((column, c) => {
    const value = (r: number) => table.cells[r * width + c];
    if (column.kind === 'categorical')
      return separates(column.values.length, table.rows, value, isOdd) ? [column.name] : [];
    const ranges = [0, 1].map(() => [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    for (let r = 0; r < table.rows; r++) {
      const range = ranges[isOdd[r]];
      if (value(r) < range[0]) range[0] = value(r);
      if (value(r) > range[1]) range[1] = value(r);
    }
    return ranges[0][1] < ranges[1][0] || ranges[1][1] < ranges[0][0] ? [column.name] : [];
  });
  if (names.length === 0) return undefined;
  return say`${raw.file}: ${names.slice(0, 6).join(', ')} alone ${names.length === 1 ? 'tells' : 'tell'} the anomalous rows from the normal ones.
    What is made from the labels must be left out: ${option(['columns', names[0]], 'ignore')}.`;
}

/** True where no text belongs to normal and to anomalous rows, and there are few texts. */
function separates(count: number, rows: number, value: (row: number) => number, isOdd: Uint8Array): boolean {
  if (count < 2 || count > rows / 10) return false;
  const side = new Uint8Array(count);
  for (let r = 0; r < rows; r++) side[value(r)] |= 1 << isOdd[r];
  return side.every((s) => s !== 3);
}

/** Rows from which on equal steps of time are a series. */
const SERIES = 50;
/** Rows that are looked at for it. */
const LOOKED_AT = 10_000;

/** True where the rows are a series: a column of times that goes on in even steps, but for a few rows out of their order. */
export const isSeries = (read: Pick<LabelledTable, 'times'>): boolean => evenTimes(read) !== undefined;

/** The column of times that goes on in even steps, and their length in milliseconds. */
function evenTimes({ times }: Pick<LabelledTable, 'times'>): { column: string; usual: number } | undefined {
  for (const { column, values } of times) {
    const first = values(LOOKED_AT);
    if (first.length < SERIES) continue;
    const steps = first.subarray(1).map((time, i) => time - first[i]);
    const usual = steps.slice().sort()[steps.length >> 1];
    const even = steps.reduce((n, step) => n + Number(Math.abs(step - usual) <= 0.02 * usual), 0);
    const back = steps.filter((step) => step < 0);
    const span = steps.filter((step) => step > 0).reduce((sum, step) => sum + step, 0);
    // Rows of several series one below the other go back by far.
    const isOrdered = back.length <= 0.01 * steps.length && back.every((step) => -step <= 0.1 * span);
    if (usual > 0 && even >= 0.8 * steps.length && isOrdered) return { column, usual };
  }
  return undefined;
}

function looksLikeSeries({ raw, times, kind, ofRows }: Told): Said | undefined {
  const found = kind === undefined ? evenTimes({ times }) : undefined;
  if (!found) return undefined;
  const what = `${raw.file}: looks like a time series: ${found.column} goes on in steps of ${durationText(found.usual)}.`;
  if (ofRows) {
    return say`${what} Its rows are taken one by one here, as this model takes them; windows of them are seen with ${option('kind', 'series')}.`;
  }
  return say`${what} Training takes its rows
    as the steps of a series, in their order; to take them one by one, say ${option('kind', 'table')}.`;
}

function explain({ raw, table: { columns, rows }, labels, label, facts }: Told): string {
  const { file, about } = raw;
  const texts = columns.flatMap((c) => (c.kind === 'categorical' ? [`${c.name} ${c.values.length}`] : []));
  const shown = texts.length > 8 ? `${texts.slice(0, 8).join(', ')}, …` : texts.join(', ');
  const counts = labels.classes.map(() => 0);
  for (const code of labels.labels) counts[code]++;
  const classes = labels.classes.map((name, i) => `${counts[i]} ${name}`);
  const said =
    label === undefined
      ? 'no label column, all normal'
      : `labels in ${label}: ${classes.slice(0, 12).join(', ')}${classes.length > 12 ? ', …' : ''}`;
  const numeric = columns.length - texts.length;
  const categorical = texts.length > 0 ? ` and ${texts.length} of text (${shown})` : '';
  const left = facts.filter(({ kind }) => kind === 'ignore').length;
  const without = left > 0 ? `, ${left} left out` : '';
  const understood = about === undefined ? '' : `${about}; `;
  return `${file}: ${understood}${rows} rows; ${numeric} columns of numbers${categorical}${without}; ${said}.`;
}
