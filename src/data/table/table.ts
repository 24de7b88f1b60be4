/**
 * A table in memory: columns of numbers and of texts, row after row, and from a file also labels and parts. What a
 * column is follows from its cells unless the caller says; what was understood is told in one sentence.
 */
import { ConfigError, DataError, factsOf, nearestName } from '../../core/errors.ts';
import { option, say } from '../../core/text.ts';
import type { Part } from '../item.ts';
import { LayoutWords } from '../layout-words.ts';
import { badRows, type Rows, SHOWN } from './rows.ts';

/** What a column may be; `ignore` leaves it out. */
export const columnKinds = ['numeric', 'categorical', 'label', 'ignore'] as const;
export type ColumnKind = (typeof columnKinds)[number];

/** A column that is fed to a model. */
export type Column =
  | { readonly name: string; readonly kind: 'numeric' }
  | { readonly name: string; readonly kind: 'categorical'; readonly values: readonly string[] };

export interface Table {
  readonly columns: readonly Column[];
  readonly rows: number;
  /** `[rows, columns]`: a finite number, the place of a text in `values`, or NaN where a number is missing. */
  readonly cells: Float64Array;
}

/** What a file of rows says of each, beside its cells. */
export interface LabelledTable {
  readonly table: Table;
  readonly classes: readonly string[];
  /** Class of each row. */
  readonly labels: Uint16Array;
  /** Index of the class of normal rows; undefined where the labels are classes that do not say what is normal. */
  readonly normalClass?: number;
  /** Part of each row, where a column says it. */
  readonly parts?: readonly Part[];
  /** One sentence: what was understood. */
  readonly explanation: string;
}

/** Texts that one column may have: each becomes an input of its own. */
const MOST_TEXTS = 1000;
/** Kinds of anomalies that a label column may name. */
const MOST_CLASSES = 500;
/** Heads of the label column, in small letters, where the caller names none. */
const labelNames = ['label', 'target', 'anomaly', 'is_anomaly', 'outlier'];
const partNames = ['split', 'part', 'subset'];

/**
 * Sorts the cells of a file into columns. `given` says what columns are, by name; others are numeric when all their
 * cells are numbers or missing, and categorical when not.
 * @throws ConfigError `unknown-column`, `labels` for two of them; DataError `csv-rows` with lines, `csv`, `too-many-texts`,
 * `label-kind`.
 */
export function readTable(raw: Rows, given: Readonly<Record<string, ColumnKind>> = {}): LabelledTable {
  const { file, heads, rows } = raw;
  checkHeads(raw, given);
  // Who names the labels means them instead of those that the file names.
  const isLabelGiven = Object.values(given).includes('label');
  const own = Object.entries(raw.kinds).filter(([, kind]) => !(isLabelGiven && kind === 'label'));
  const kinds: Readonly<Record<string, ColumnKind>> = { ...Object.fromEntries(own), ...given };
  const kindOf = (name: string): ColumnKind | undefined => (Object.hasOwn(kinds, name) ? kinds[name] : undefined);
  const labels = heads.filter((name) => kindOf(name) === 'label');
  if (labels.length > 1) {
    throw new ConfigError(
      'labels',
      `${file} must have one column of labels, got ${labels.join(' and ')}. Name only one.`,
    );
  }
  const named = (names: readonly string[]) =>
    heads.find((name) => !Object.hasOwn(given, name) && names.includes(name.toLowerCase()));
  const label = labels[0] ?? named(labelNames);
  const part = named(partNames);
  const parts = part === undefined ? undefined : readParts(raw, heads.indexOf(part));
  const others = heads.filter((name) => name !== label && kindOf(name) !== 'ignore' && !(parts && name === part));
  if (rows === 0) throw new DataError('csv', `${file} has column names but no rows. Add rows.`);
  if (others.length === 0) {
    throw new DataError(
      'csv',
      `${file} must have a column of values; all of its columns are labels, parts or ignored.`,
    );
  }
  const columns: Column[] = [];
  const values = new Float64Array(rows * others.length);
  others.forEach((name, c) => {
    const wanted = kindOf(name);
    const at = heads.indexOf(name);
    const isNumeric = wanted !== 'categorical' && readNumbers(raw, at, values, c, others.length, wanted === 'numeric');
    columns.push(
      isNumeric
        ? { name, kind: 'numeric' }
        : { name, kind: 'categorical', values: readTexts(raw, at, values, c, others.length) },
    );
  });
  const meaning = label === undefined ? allNormal(rows) : readLabels(raw, heads.indexOf(label));
  return {
    table: { columns, rows, cells: values },
    ...meaning,
    ...(parts && { parts }),
    explanation: explain(raw, columns, meaning, label),
  };
}

function checkHeads({ file, heads }: Rows, kinds: Readonly<Record<string, ColumnKind>>): void {
  const twice = heads.find((name, i) => heads.indexOf(name) < i);
  if (twice !== undefined || heads.includes('')) {
    const found = twice ? `"${twice}" is there twice. Rename one.` : 'one has no name. Name it.';
    throw new DataError('csv', `${file} must have a header with a name for each column; ${found}`);
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
    if (heads.includes(name)) continue;
    const near = nearestName(name, heads);
    const hint = near ? `Did you mean "${near}"?` : `Its columns: ${heads.slice(0, 20).join(', ')}.`;
    throw new ConfigError(
      'unknown-column',
      `${file} has no column "${name}". ${hint}`,
      factsOf({ option: ['columns', name], value: kind }),
    );
  }
}

/** Fills column `c` of `out` with numbers; false at the first text, unless the caller says that they are numbers. */
function readNumbers(raw: Rows, at: number, out: Float64Array, c: number, width: number, isSaid: boolean): boolean {
  const { file, heads, rows, place, numbers } = raw;
  const problems: string[] = [];
  let faults = 0;
  let present = 0;
  for (let r = 0; r < rows; r++) {
    const value = raw.number(r, at);
    if (value === undefined && !isSaid) return false;
    const isFault = value === undefined || value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY;
    if (isFault && faults++ < SHOWN) problems.push(`${place} ${numbers[r]}: "${raw.show(r, at)}"`);
    if (!Number.isNaN(value)) present++;
    out[r * width + c] = value ?? 0;
  }
  if (faults > 0) throw badRows(file, `finite numbers in the column ${heads[at]}`, problems, faults);
  if (present > 0) return true;
  throw new DataError(
    'empty-column',
    say`The column ${heads[at]} of ${file} is empty; some row must have a number in it. Leave it out with
      ${option(['columns', heads[at]], 'ignore')}.`,
  );
}

function readTexts(raw: Rows, at: number, out: Float64Array, c: number, width: number): string[] {
  const { file, heads, rows } = raw;
  const texts = raw.texts(at);
  for (let r = 0; r < rows; r++) {
    out[r * width + c] = texts.code(r);
    if (texts.values.length <= MOST_TEXTS) continue;
    throw new DataError(
      'too-many-texts',
      say`The column ${heads[at]} of ${file} must have at most ${MOST_TEXTS} different texts, because each becomes an
        input; it has more (such as ${texts.values.slice(-3).join(', ')}). Leave it out with
        ${option(['columns', heads[at]], 'ignore')}.`,
    );
  }
  return texts.values;
}

type Meaning = Pick<LabelledTable, 'classes' | 'labels' | 'normalClass'>;

const allNormal = (rows: number): Meaning => ({
  classes: ['normal'],
  labels: new Uint16Array(rows),
  normalClass: 0,
});

/** 0 and 1; words of which one means normal and the others kinds of anomalies; or names of classes. */
function readLabels(raw: Rows, at: number): Meaning {
  const { file, heads, rows, place, numbers: places } = raw;
  const texts = raw.texts(at);
  const codes = new Uint16Array(rows);
  const problems: string[] = [];
  let faults = 0;
  for (let r = 0; r < rows; r++) {
    const code = texts.code(r);
    if (/^\??$/.test(texts.values[code]) && faults++ < SHOWN) problems.push(`${place} ${places[r]}: no label`);
    if (code < MOST_CLASSES) codes[r] = code;
    else throw labelKind(file, heads[at], `more than ${MOST_CLASSES} different texts`);
  }
  if (faults > 0) throw badRows(file, `a label in each row of the column ${heads[at]}`, problems, faults);
  const { values } = texts;
  const numbers = values.map((text) => (/^(true|false)$/i.test(text) ? Number(/true/i.test(text)) : Number(text)));
  if (numbers.every((n) => n === 0 || n === 1)) {
    return { classes: ['normal', 'anomalous'], labels: codes.map((code) => numbers[code]), normalClass: 0 };
  }
  const fraction = values.find((_, i) => !Number.isNaN(numbers[i]) && !Number.isInteger(numbers[i]));
  if (fraction !== undefined) throw labelKind(file, heads[at], `numbers such as ${fraction}`);
  const words = new LayoutWords();
  const isNormal = values.map(
    (text, i) => Number.isNaN(numbers[i]) && words.label(text.replace(/\.$/, '')) === 'normal',
  );
  if (!isNormal.includes(true)) return { classes: values, labels: codes };
  const anomalous = values.filter((_, i) => !isNormal[i]);
  const classOf = values.map((text, i) => (isNormal[i] ? 0 : 1 + anomalous.indexOf(text)));
  const normal = values[isNormal.indexOf(true)];
  return { classes: [normal, ...anomalous], labels: codes.map((code) => classOf[code]), normalClass: 0 };
}

function labelKind(file: string, name: string, found: string): DataError {
  return new DataError(
    'label-kind',
    say`The labels of ${file} (column ${name}) must be 0 for normal and 1 for anomalous, words such as normal and fault,
      or names of a few classes; found ${found}. Name another column with ${option(['columns', '<name>'], 'label')}.`,
  );
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

function explain({ file, rows, about }: Rows, columns: readonly Column[], meaning: Meaning, label?: string): string {
  const texts = columns.flatMap((c) => (c.kind === 'categorical' ? [`${c.name} ${c.values.length}`] : []));
  const shown = texts.length > 8 ? `${texts.slice(0, 8).join(', ')}, …` : texts.join(', ');
  const counts = meaning.classes.map(() => 0);
  for (const code of meaning.labels) counts[code]++;
  const classes = meaning.classes.map((name, i) => `${counts[i]} ${name}`);
  const labels =
    label === undefined
      ? 'no label column, all normal'
      : `labels in ${label}: ${classes.slice(0, 12).join(', ')}${classes.length > 12 ? ', …' : ''}`;
  const numeric = columns.length - texts.length;
  const categorical = texts.length > 0 ? ` and ${texts.length} of text (${shown})` : '';
  const understood = about === undefined ? '' : `${about}; `;
  return `${file}: ${understood}${rows} rows; ${numeric} columns of numbers${categorical}; ${labels}.`;
}
