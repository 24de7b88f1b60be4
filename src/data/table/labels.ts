/** Which column holds the labels, and what its words mean. */
import { ConfigError, DataError, factsOf } from '../../core/errors.ts';
import { option, say } from '../../core/text.ts';
import { LayoutWords } from '../layout-words.ts';
import { badRows, type Rows, SHOWN } from './rows.ts';

/** What a column of labels says of the rows. */
export interface Labels {
  /** Normal first where one of them is normal. */
  readonly classes: readonly string[];
  /** Class of each row. */
  readonly labels: Uint16Array;
  /** 0, or undefined where the labels are classes that do not say what is normal. */
  readonly normalClass?: number;
}

/** Kinds of anomalies that a label column may name. */
const MOST_CLASSES = 500;
/** Different values up to which a column with a telling name may be one of labels. */
const MOST_VALUES = 60;

/** Small letters and digits alone. */
const plain = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/** Names that mean labels whatever the column holds. */
const certain = ['label', 'labels', 'target', 'anomaly', 'isanomaly', 'outlier', 'isoutlier'];
/** Names of yes-or-no columns of which yes is an anomaly. */
const faults = [
  ...[
    'anomalies',
    'anomalous',
    'abnormal',
    'isabnormal',
    'outliers',
    'fraud',
    'isfraud',
    'fraudulent',
    'attack',
    'attacks',
  ],
  ...[
    'isattack',
    'malicious',
    'ismalicious',
    'intrusion',
    'failure',
    'failures',
    'machinefailure',
    'isfailure',
    'fault',
  ],
  ...['faulty', 'isfault', 'isfaulty', 'defect', 'defective', 'isdefect', 'isdefective', 'alarm', 'novelty', 'error'],
  ...['groundtruth', 'gt', 'truth', 'labely', 'normalattack', 'attackflag', 'attlabel', 'attacklabel', 'anomalylabel'],
  ...['broken', 'bad', 'nok', 'isbad', 'failed', 'fail', 'churn', 'default', 'spam', 'isspam', 'hacked', 'tampered'],
];
/** The same where yes is normal. */
const goods = [
  'normal',
  'isnormal',
  'ok',
  'isok',
  'good',
  'isgood',
  'pass',
  'passed',
  'passfail',
  'healthy',
  'inlier',
  'isinlier',
  'valid',
];
/** Names that labels often have, and other columns too. */
const likely = [
  'class',
  'classes',
  'y',
  'status',
  'state',
  'condition',
  'result',
  'outcome',
  'verdict',
  'diagnosis',
  'category',
  'type',
  'attacktype',
  'attackcat',
  'faulttype',
  'defecttype',
  'failuretype',
  'quality',
  'ytrue',
  'classification',
  'response',
];
/** Those of `likely` that hardly name anything else. */
const ofClasses = ['class', 'classes', 'classification', 'y', 'ytrue', 'verdict'];
/** Names of columns that are made from the labels. */
const derived = [
  'changepoint',
  'changepoints',
  'difficulty',
  'difficultylevel',
  'anomalytype',
  'anomalyscore',
  'attackcat',
  'attacktype',
  'faulttype',
  'failuretype',
  'defecttype',
];

/** Words of rows that are as they should be, beside those of folders. */
const normalWords = [
  'benign',
  'healthy',
  'inlier',
  'genuine',
  'legit',
  'legitimate',
  'nonfraud',
  'notfraud',
  'regular',
  'negative',
  'nofailure',
  'nofault',
  'nominal',
  'clean',
  'passed',
  'valid',
  'nonfailure',
  'nonanomalous',
  'notanomalous',
  'nondefective',
  'in',
  'n',
  'no',
  'false',
  'f',
  'nonanomaly',
  'none',
  'ham',
  'typical',
  'usual',
  'conform',
  'accept',
  'accepted',
];
/** Words of rows that are not; with them a word of no known meaning is not taken for a kind of anomaly. */
const oddWords = [
  'anomaly',
  'anomalous',
  'abnormal',
  'attack',
  'attacks',
  'fraud',
  'fraudulent',
  'outlier',
  'failure',
  'fail',
  'failed',
  'fault',
  'faulty',
  'defect',
  'defective',
  'bad',
  'nok',
  'notok',
  'ng',
  'malicious',
  'malware',
  'positive',
  'yes',
  'y',
  'true',
  't',
  'out',
  'o',
  'broken',
  'spam',
  'reject',
  'rejected',
  'botnet',
  'ddos',
  'dos',
  'abnormally',
];

export const isDerivedFromLabels = (name: string): boolean => derived.includes(plain(name)) || isNameOfLabels(name);
const isNameOfLabels = (name: string) => [certain, faults].some((names) => names.includes(plain(name)));

/** True where a word says that a row is normal. */
function isNormalWord(text: string): boolean {
  const word = text.replace(/\.$/, '');
  return (
    Number.isNaN(Number(word)) && (new LayoutWords().label(word) === 'normal' || normalWords.includes(plain(word)))
  );
}
const isOddWord = (text: string) => Number.isNaN(Number(text)) && oddWords.includes(plain(text));

/** The column of labels that nobody named, and why it is one. */
export interface FoundLabels {
  readonly name: string;
  readonly why: string;
}

/**
 * Looks for it by name and by what it holds. `open` are the columns of which nothing is said.
 * @throws ConfigError `which-labels` where a column looks like labels and cannot be read as such.
 */
export function findLabels(raw: Rows, open: readonly string[]): FoundLabels | undefined {
  const named = (names: readonly string[]) => open.filter((name) => names.includes(plain(name)));
  const [sure] = named(certain);
  if (sure !== undefined) return { name: sure, why: 'by its name' };
  for (const name of [...named(faults), ...named(goods), ...named(likely)]) {
    const tally = tallyOf(raw, raw.heads.indexOf(name));
    if (!tally || tally.size < 2) continue;
    if (isReadable(name, tally)) return { name, why: `by its name and its values ${shown(tally)}` };
    if (looksLikeLabels(name, tally)) throw whichLabels(raw, name, tally);
  }
  return undefined;
}

/** How often each text comes; undefined for columns of many. */
function tallyOf(raw: Rows, at: number): Map<string, number> | undefined {
  const texts = raw.texts(at);
  const counts: number[] = [];
  for (let r = 0; r < raw.rows; r++) {
    const code = texts.code(r);
    if (texts.values.length > MOST_VALUES) return undefined;
    counts[code] = (counts[code] ?? 0) + 1;
  }
  return new Map(texts.values.map((text, i) => [text, counts[i]]));
}

const shown = (tally: ReadonlyMap<string, number>) =>
  [...tally]
    .slice(0, 6)
    .map(([text, n]) => `${text} (${n})`)
    .join(', ') + (tally.size > 6 ? ', …' : '');

/** True where its values have one meaning only: 0 and 1, 1 and −1 of which one is rare, a word for normal and others. */
function isReadable(name: string, tally: ReadonlyMap<string, number>): boolean {
  const values = [...tally.keys()];
  if (values.some((text) => text === '')) return false;
  const isLikelyOnly = likely.includes(plain(name));
  const numbers = values.map(numberOf);
  const rows = [...tally.values()].reduce((a, b) => a + b, 0);
  const rarest = Math.min(...tally.values()) / rows;
  if (isPair(numbers, 0, 1)) return !isLikelyOnly || rarest <= 0.35 || ofClasses.includes(plain(name));
  if (isPair(numbers, 1, -1)) return rarest <= 0.35;
  const normal = values.filter(isNormalWord);
  if (normal.length === 0) return false;
  return !isLikelyOnly || values.some(isOddWord) || ofClasses.includes(plain(name));
}

/** True where it is worth a question. */
function looksLikeLabels(name: string, tally: ReadonlyMap<string, number>): boolean {
  const rows = [...tally.values()].reduce((a, b) => a + b, 0);
  const isRare = Math.min(...tally.values()) / rows <= 0.2;
  if (faults.includes(plain(name)) || goods.includes(plain(name))) return tally.size <= 20;
  if (ofClasses.includes(plain(name))) return tally.size <= 20;
  return tally.size === 2 && isRare;
}

function whichLabels(raw: Rows, name: string, tally: ReadonlyMap<string, number>): ConfigError {
  const [rare, count] = [...tally].reduce((a, b) => (b[1] < a[1] ? b : a));
  return new ConfigError(
    'which-labels',
    say`The column ${name} of ${raw.file} looks like labels: ${shown(tally)}; ${count} of ${raw.rows} are ${rare}. Say
      that it holds them with ${option(['columns', name], 'label')}, and which of its values is normal with
      ${option('folderNames.normal', '<value>')}; or leave it out with ${option(['columns', name], 'ignore')}.`,
    factsOf({ option: ['columns', name] }),
  );
}

const numberOf = (text: string) => {
  if (/^(true|yes|y|t)$/i.test(text)) return 1;
  if (/^(false|no|n|f)$/i.test(text)) return 0;
  return text === '' ? Number.NaN : Number(text);
};
const isPair = (numbers: readonly number[], a: number, b: number) =>
  numbers.length > 0 && numbers.every((n) => n === a || n === b);

/**
 * Reads a column of labels: 0 and 1 (yes and no, true and false); 1 and −1, of which the rarer is anomalous; words of which
 * one means normal and the others kinds of anomalies; or names of classes. `normal` names the normal values instead.
 * @throws DataError `csv-rows` with the lines without a label, `label-kind`; ConfigError `normal-label`.
 */
export function readLabels(raw: Rows, at: number, normal?: readonly string[]): Labels {
  const { file, heads, rows } = raw;
  const texts = raw.texts(at);
  const codes = new Uint16Array(rows);
  const problems: string[] = [];
  let gaps = 0;
  for (let r = 0; r < rows; r++) {
    const code = texts.code(r);
    if (/^\??$/.test(texts.values[code]) && gaps++ < SHOWN) problems.push(`${raw.where(r)}: no label`);
    if (code < MOST_CLASSES) codes[r] = code;
    else throw labelKind(file, heads[at], `more than ${MOST_CLASSES} different texts`);
  }
  if (gaps > 0) throw badRows(file, `a label in each row of the column ${heads[at]}`, problems, gaps);
  const { values } = texts;
  if (normal) return byNormal(raw, at, values, codes, normal);
  const numbers = values.map(numberOf);
  if (isPair(numbers, 0, 1)) {
    const odd = goods.includes(plain(heads[at])) ? 0 : 1;
    return {
      classes: ['normal', 'anomalous'],
      labels: codes.map((code) => Number(numbers[code] === odd)),
      normalClass: 0,
    };
  }
  if (isPair(numbers, 1, -1)) {
    const ones = codes.reduce((n, code) => n + Number(numbers[code] === 1), 0);
    const odd = ones <= rows / 2 ? 1 : -1;
    return {
      classes: ['normal', 'anomalous'],
      labels: codes.map((code) => Number(numbers[code] === odd)),
      normalClass: 0,
    };
  }
  const fraction = values.find((_, i) => !Number.isNaN(numbers[i]) && !Number.isInteger(numbers[i]));
  if (fraction !== undefined) throw labelKind(file, heads[at], `numbers such as ${fraction}`);
  const known = values.filter(isNormalWord);
  return known.length === 0 ? { classes: values, labels: codes } : withNormal(values, codes, known);
}

function byNormal(
  { file, heads }: Rows,
  at: number,
  values: readonly string[],
  codes: Uint16Array,
  normal: readonly string[],
): Labels {
  const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase() || (a !== '' && Number(a) === Number(b));
  const known = values.filter((text) => normal.some((word) => same(text, word.trim())));
  if (known.length > 0) return withNormal(values, codes, known);
  throw new ConfigError(
    'normal-label',
    say`The labels of ${file} (column ${heads[at]}) must have the normal value ${normal.join(', ')}; they are
      ${values.slice(0, 12).join(', ')}. Name one of these with ${option('folderNames.normal')}.`,
    factsOf({ option: 'folderNames.normal', value: normal }),
  );
}

function withNormal(values: readonly string[], codes: Uint16Array, known: readonly string[]): Labels {
  const anomalous = values.filter((text) => !known.includes(text));
  const classOf = values.map((text) => (known.includes(text) ? 0 : 1 + anomalous.indexOf(text)));
  return { classes: [known[0], ...anomalous], labels: codes.map((code) => classOf[code]), normalClass: 0 };
}

function labelKind(file: string, name: string, found: string): DataError {
  return new DataError(
    'label-kind',
    say`The labels of ${file} (column ${name}) must be 0 for normal and 1 for anomalous, words such as normal and fault,
      or names of a few classes; found ${found}. Name another column with ${option(['columns', '<name>'], 'label')}.`,
  );
}
