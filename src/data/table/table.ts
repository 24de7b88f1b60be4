/**
 * A table in memory: columns of numbers and of texts, row after row, and from a file also labels and parts. What a
 * column is follows from its cells unless the caller says; what was understood is told column by column.
 */
import { ConfigError, DataError, factsOf, nearestName } from '../../core/errors.ts';
import { option, type Said, say } from '../../core/text.ts';
import type { Part } from '../item.ts';
import { LayoutWords } from '../layout-words.ts';
import { type ColumnKind, columnKinds, MOST_TEXTS, useOf } from './column-use.ts';
import { findLabels, isDerivedFromLabels, type Labels, readLabels } from './labels.ts';
import type { NumberForm } from './number-forms.ts';
import { LARGEST, type NumberReading, type Profile, profile, readTimes } from './profile.ts';
import { type TableRemark, tellTable } from './remarks.ts';
import { badRows, type Rows, withoutUnits } from './rows.ts';
import { type TimeForm, type TimePart, timePart } from './times.ts';

export { type ColumnKind, columnKinds } from './column-use.ts';

/** A column that is fed to a model. */
export type Column = NumericColumn | CategoricalColumn;
export interface NumericColumn {
  readonly name: string;
  readonly kind: 'numeric';
  /** How its numbers are written, where not plainly. */
  readonly form?: NumberForm;
  /** The column of times that it is made from. */
  readonly time?: TimeSource;
}
export interface CategoricalColumn {
  readonly name: string;
  readonly kind: 'categorical';
  readonly values: readonly string[];
}
/** A number made from a time. */
export interface TimeSource {
  readonly column: string;
  readonly form: TimeForm;
  readonly part: TimePart;
}

export interface Table {
  readonly columns: readonly Column[];
  readonly rows: number;
  /** `[rows, columns]`: a finite number, the place of a text in `values`, or NaN where a number is missing. */
  readonly cells: Float64Array;
  /** How its numbers were read, where the caller said. */
  readonly reading?: NumberReading;
}

/** What was found of a column of a file, and what training makes of it. */
export interface ColumnFacts {
  readonly name: string;
  readonly kind: ColumnKind | 'part';
  /** What it holds, in a few words: `whole numbers`, `times`, `identifiers`. */
  readonly content: string;
  /** Why it is not fed to the model, or why it holds the labels. */
  readonly why?: string;
  /** Rows without a value. */
  readonly missing: number;
  /** Different values; those of columns of more than a thousand are not all counted. */
  readonly distinct: number;
  /** Of numbers. */
  readonly range?: readonly [number, number];
  /** Some values as the file has them. */
  readonly examples: readonly string[];
}

/** What a file of rows says of each, beside its cells. */
export interface LabelledTable extends Labels {
  readonly table: Table;
  /** Part of each row, where a column says it. */
  readonly parts?: readonly Part[];
  /** One sentence: what was understood. */
  readonly explanation: string;
  /** In the order of the file. */
  readonly facts: readonly ColumnFacts[];
  /** What a person should know of the columns. */
  readonly remarks: readonly TableRemark[];
  /** Columns that hold times, those that the caller named first. */
  readonly times: readonly TimeColumn[];
  /** The rows without a line of units below the head. */
  readonly raw: Rows;
}

/** A column of times. */
export interface TimeColumn {
  readonly column: string;
  readonly form: TimeForm;
  /** Milliseconds since 1970 by row (of a clock alone, since midnight), NaN where missing; of the first `rows`, default all. */
  values(rows?: number): Float64Array;
}

export interface TableOptions extends NumberReading {
  /** What columns are, by name. */
  readonly columns?: Readonly<Record<string, ColumnKind>>;
  /** Labels of normal rows, where their words do not say it. */
  readonly normal?: readonly string[];
  /** What the caller says that the rows are; then nothing is said of it. */
  readonly kind?: 'series' | 'table' | 'clip';
  /** Whoever learns from them takes rows, whatever their times. */
  readonly ofRows?: boolean;
}

const partNames = ['split', 'part', 'subset'];

/**
 * Sorts the cells of a file into columns. Columns of which nothing is said are decided by their cells: numbers, texts of
 * a few values, or what no model should learn, such as identifiers, counters, times and free text, which is left out.
 * @throws ConfigError `unknown-column`, `labels` for two of them, `which-labels`; DataError `csv-rows` with lines, `csv`,
 * `too-many-texts`, `label-kind`, `not-times`, `no-columns`.
 */
export function readTable(file: Rows, options: TableOptions = {}): LabelledTable {
  const { raw, units } = withoutUnits(named(file));
  const { columns: given = {}, normal } = options;
  checkHeads(raw, given);
  if (raw.rows === 0) throw new DataError('csv', `${raw.file} has column names but no rows. Add rows.`);
  const kinds = kindsOf(raw, given);
  const open = raw.heads.filter((name) => !Object.hasOwn(given, name));
  const part = open.find((name) => partNames.includes(name.toLowerCase()));
  const parts = part === undefined ? undefined : readParts(raw, raw.heads.indexOf(part));
  const said = raw.heads.find((name) => kinds.get(name) === 'label');
  const found = said === undefined ? findLabels(raw, open) : undefined;
  const label = said ?? found?.name;
  const labels = label === undefined ? allNormal(raw.rows, normal) : readLabels(raw, raw.heads.indexOf(label), normal);

  const facts: ColumnFacts[] = [];
  const kept: { column: Column; cell: (row: number) => number }[] = [];
  const profiles = new Map<string, Profile>();
  for (const [at, name] of raw.heads.entries()) {
    if (name === label) facts.push(factsOfLabels(raw, at, labels, found?.why));
    else if (parts && name === part) {
      facts.push({
        name,
        kind: 'part',
        content: 'parts',
        missing: 0,
        distinct: new Set(parts).size,
        examples: [...new Set(parts)],
      });
    } else {
      const read = profile(raw, at, options);
      const made = makeColumn(raw, at, read, kinds.get(name), label !== undefined && !kinds.has(name));
      profiles.set(name, read);
      facts.push(made.facts);
      kept.push(...made.columns);
    }
  }
  if (kept.length === 0) throw noColumns(raw, facts);
  const cells = new Float64Array(raw.rows * kept.length);
  for (let r = 0, i = 0; r < raw.rows; r++) for (const { cell } of kept) cells[i++] = cell(r);
  const { decimal, missing } = options;
  const times = timesOf(facts, profiles, kinds);
  const reading =
    decimal || missing?.length ? { reading: { ...(decimal && { decimal }), ...(missing && { missing }) } } : {};
  const table: Table = { columns: kept.map(({ column }) => column), rows: raw.rows, cells, ...reading };
  return {
    table,
    ...labels,
    ...(parts && { parts }),
    ...tellTable({
      raw,
      facts,
      profiles,
      labels,
      table,
      times,
      units,
      kind: options.kind,
      ofRows: options.ofRows,
      ...(label !== undefined && { label }),
      ...(found && { found }),
    }),
    facts,
    times,
    raw,
  };
}

/** The columns that hold times, by what the caller says or else by their cells. */
function timesOf(
  facts: readonly ColumnFacts[],
  profiles: ReadonlyMap<string, Profile>,
  kinds: ReadonlyMap<string, ColumnKind>,
): TimeColumn[] {
  const given = facts.filter(({ name }) => kinds.get(name) === 'time');
  const open = facts.filter(({ name, content }) => content === 'times' && !kinds.has(name));
  return [...given, ...open].flatMap(({ name }) => {
    const found = profiles.get(name);
    return found?.time ? [{ column: name, form: found.time, values: (rows) => readTimes(found, rows) }] : [];
  });
}

/** What the columns of a file hold, also where `readTable` would refuse it. Columns that the caller names are as said. */
export function columnFacts(file: Rows, options: TableOptions = {}): ColumnFacts[] {
  const { raw } = withoutUnits(named(file));
  const kinds = options.columns ?? {};
  return raw.heads.map((name, at) => {
    const found = profile(raw, at, options);
    const { kind, content, why } = useOf(name, found);
    const { missing, distinct, range, examples } = found;
    const given = Object.hasOwn(kinds, name) ? kinds[name] : kind;
    return {
      name,
      kind: given,
      content,
      ...(why && given === 'ignore' && { why }),
      missing,
      distinct,
      ...(range && { range }),
      examples,
    };
  });
}

/** Names for columns that have none. */
function named(raw: Rows): Rows {
  if (!raw.heads.includes('')) return raw;
  return { ...raw, heads: raw.heads.map((name, i) => (name === '' ? `column ${i + 1}` : name)) };
}

/** What the caller and the file itself say; who names the labels means them instead of those that the file names. */
function kindsOf(raw: Rows, given: Readonly<Record<string, ColumnKind>>): Map<string, ColumnKind> {
  const isLabelGiven = Object.values(given).includes('label');
  const own = Object.entries(raw.kinds).filter(([, kind]) => !(isLabelGiven && kind === 'label'));
  const kinds = new Map([...own, ...Object.entries(given)]);
  const labels = [...kinds].filter(([, kind]) => kind === 'label').map(([name]) => name);
  if (labels.length <= 1) return kinds;
  throw new ConfigError(
    'labels',
    `${raw.file} must have one column of labels, got ${labels.join(' and ')}. Name only one.`,
  );
}

/** What becomes of a column that is neither labels nor parts: facts, and the columns of the table that it is made into. */
function makeColumn(raw: Rows, at: number, found: Profile, wanted: ColumnKind | undefined, hasLabels: boolean) {
  const name = raw.heads[at];
  const isDerived = wanted === undefined && hasLabels && isDerivedFromLabels(name);
  const own = useOf(raw.heads[at].startsWith('column ') ? '' : name, found);
  const { missing, distinct, range, examples } = found;
  const common = { name, missing, distinct, ...(range && { range }), examples };
  const leave = (why: string | undefined) => ({
    facts: { ...common, kind: 'ignore' as const, content: own.content, ...(why !== undefined && { why }) },
    columns: [],
  });
  if (wanted === 'ignore') return leave('as asked');
  if (isDerived) return leave('by its name it is made from the labels');
  const kind = wanted ?? own.kind;
  if (kind === 'ignore') return leave(own.why);
  const facts = { ...common, kind, content: own.content };
  if (kind === 'time') return { facts: { ...facts, content: 'times' }, columns: timeColumns(raw, at, found) };
  if (kind === 'numeric') return { facts, columns: [numericColumn(raw, at, found)] };
  return { facts, columns: [categoricalColumn(raw, at, wanted === 'categorical')] };
}

function numericColumn(raw: Rows, at: number, { numbers, form, bad, badCount, missing }: Profile) {
  const { file, heads, rows } = raw;
  const name = heads[at];
  const said = option(['columns', name], 'categorical');
  if (!numbers && missing === rows) {
    throw new DataError(
      'empty-column',
      say`The column ${name} of ${file} is empty; some row must have a number in it. Leave it out with
        ${option(['columns', name], 'ignore')}.`,
    );
  }
  const values =
    numbers ?? Float64Array.from({ length: rows }, (_, r) => raw.number(r, at) ?? Number.POSITIVE_INFINITY);
  const faults = numbers ? bad.map(({ row, text }) => `${raw.where(row)}: "${text}"`) : [];
  let total = numbers ? badCount : 0;
  for (const [r, value] of values.entries()) {
    if (Number.isNaN(value) || Math.abs(value) <= LARGEST) continue;
    if (total++ < 10) faults.push(`${raw.where(r)}: "${raw.show(r, at)}"`);
  }
  if (total === 0)
    return { column: { name, kind: 'numeric', ...(form && { form }) } as Column, cell: (r: number) => values[r] };
  const texts = [...new Set(faults.map((fault) => /"(.*)"$/s.exec(fault)?.[1] ?? ''))];
  throw badRows(
    file,
    `finite numbers in the column ${name}`,
    faults,
    total,
    say`Correct them, take them for missing with ${option('missing', texts.slice(0, 3).join(','))}, read the column as texts with
      ${said}, or leave it out with ${option(['columns', name], 'ignore')}`,
  );
}

function categoricalColumn(raw: Rows, at: number, isSaid: boolean) {
  const { file, heads, rows } = raw;
  const texts = raw.texts(at);
  const codes = new Uint32Array(rows);
  for (let r = 0; r < rows; r++) {
    codes[r] = texts.code(r);
    if (texts.values.length <= MOST_TEXTS || !isSaid) continue;
    throw new DataError(
      'too-many-texts',
      say`The column ${heads[at]} of ${file} must have at most ${MOST_TEXTS} different texts, because each becomes an
        input; it has more (such as ${texts.values.slice(-3).join(', ')}). Leave it out with
        ${option(['columns', heads[at]], 'ignore')}.`,
    );
  }
  return {
    column: { name: heads[at], kind: 'categorical', values: texts.values } as Column,
    cell: (r: number) => codes[r],
  };
}

/** Hour and weekday where they differ, and the seconds since the row before where times go on. */
function timeColumns(raw: Rows, at: number, found: Profile) {
  const name = raw.heads[at];
  const form = found.time;
  if (form === undefined) {
    throw new DataError(
      'not-times',
      say`The column ${name} of ${raw.file} must hold times, such as 2024-05-01 06:00 or seconds since 1970, in one form; found
        ${raw.show(0, at)}. Leave it out with ${option(['columns', name], 'ignore')}.`,
    );
  }
  const times = readTimes(found);
  const present = times.filter((time) => !Number.isNaN(time));
  const isRising = present.every((time, i) => i === 0 || time >= present[i - 1]);
  const differs = (part: TimePart) => new Set(present.map((time) => timePart(time, time, part))).size > 1;
  const parts: TimePart[] = [
    ...(differs('hour') ? (['hour'] as const) : []),
    ...(form !== 'clock' && differs('weekday') ? (['weekday'] as const) : []),
    ...(isRising && present.length > 2 ? (['gap'] as const) : []),
  ];
  return parts.map((part) => ({
    column: { name: `${name} (${part})`, kind: 'numeric', time: { column: name, form, part } } as Column,
    cell: (r: number) =>
      r === 0 && part === 'gap' ? Number.NaN : timePart(times[r], times[r - 1] ?? Number.NaN, part),
  }));
}

function noColumns(raw: Rows, facts: readonly ColumnFacts[]): DataError {
  const why = facts.filter((f) => f.kind === 'ignore').map((f) => `${f.name} (${f.why})`);
  const [first] = facts.filter((f) => f.kind === 'ignore');
  const use: Said = first ? say` Use one with ${option(['columns', first.name], 'numeric')}.` : '';
  return new DataError(
    'no-columns',
    say`${raw.file} must have a column of values, but all of its columns are labels, parts or left out${
      why.length > 0 ? `: ${why.slice(0, 8).join(', ')}` : ''
    }.${use}`,
  );
}

function checkHeads({ file, heads }: Rows, kinds: Readonly<Record<string, ColumnKind>>): void {
  const seen = new Set<string>();
  const twice = heads.find((name) => seen.size === seen.add(name).size);
  if (twice !== undefined) {
    throw new DataError(
      'csv',
      `${file} must have a header with a name for each column; "${twice}" is there twice. Rename one.`,
    );
  }
  for (const [name, kind] of Object.entries(kinds)) {
    if (!columnKinds.includes(kind)) {
      const known = `${columnKinds.slice(0, -1).join(', ')} or ${columnKinds.at(-1)}`;
      throw new ConfigError(
        'column-kind',
        `Column kind must be ${known}; got "${kind}" for ${name}.`,
        factsOf({ option: ['columns', name], value: kind, must: known }),
      );
    }
    if (seen.has(name)) continue;
    const near = nearestName(name, heads);
    const hint = near ? `Did you mean "${near}"?` : `Its columns: ${heads.slice(0, 20).join(', ')}.`;
    throw new ConfigError(
      'unknown-column',
      `${file} has no column "${name}". ${hint}`,
      factsOf({ option: ['columns', name], value: kind }),
    );
  }
}

function allNormal(rows: number, normal?: readonly string[]): Labels {
  if (normal) {
    throw new ConfigError(
      'normal-label',
      say`A normal label needs a column of labels, and none was found. Name it with ${option(['columns', '<name>'], 'label')}.`,
      factsOf({ option: 'folderNames.normal', value: normal }),
    );
  }
  return { classes: ['normal'], labels: new Uint16Array(rows), normalClass: 0 };
}

function factsOfLabels(raw: Rows, at: number, { classes, labels }: Labels, why?: string): ColumnFacts {
  const counts = classes.map(() => 0);
  for (const code of labels) counts[code]++;
  return {
    name: raw.heads[at],
    kind: 'label',
    content: 'labels',
    ...(why !== undefined && { why }),
    missing: 0,
    distinct: classes.length,
    examples: classes.slice(0, 6).map((name, i) => `${name} (${counts[i]})`),
  };
}

/** The parts that a column names; undefined when its words are no parts, and it is a column like any other. */
function readParts(raw: Rows, at: number): Part[] | undefined {
  const texts = raw.texts(at);
  const words = new LayoutWords();
  const parts: Part[] = [];
  for (let r = 0; r < raw.rows; r++) {
    const code = texts.code(r);
    const part = words.part(texts.values[code]);
    if (!part) return undefined;
    parts.push(part);
  }
  return parts;
}
