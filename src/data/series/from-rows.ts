/**
 * A table whose rows follow each other in time, as a series: numbers are its channels, a column of times orders it. Texts are
 * left out, because a code has no distance. Values stay as they are; `regular.ts` fills what is missing.
 */
import { DataError } from '../../core/errors.ts';
import { option, type Said, say } from '../../core/text.ts';
import { leftOut } from '../table/remarks.ts';
import type { Rows } from '../table/rows.ts';
import type { LabelledTable, TimeColumn } from '../table/table.ts';
import { readTime, type TimeForm, timeForms, timeText } from '../table/times.ts';
import { clockChanges, withoutChanges, withoutStops } from './clock-changes.ts';
import type { SeriesRemark } from './regular.ts';
import type { Series } from './series.ts';

const SHOWN = 10;
const DAY = 86_400_000;
/** Share of times from which a column is meant to hold such. */
const MOSTLY = 0.8;

type Add = (code: string, message: Said) => void;

/**
 * The series of a table that `readTable` understood. `id` is its name, default that of the file. Rows out of their order are
 * sorted, equal times become one step of their mean, an hour that daylight saving repeats is undone. The remarks are those of
 * the table too, as far as they hold for a series.
 * @throws DataError `no-channels` for a table without numbers, `missing-times` and `bad-times` with lines.
 */
export function seriesFromTable(
  read: LabelledTable,
  { id = read.raw.file }: { readonly id?: string } = {},
): { readonly series: Series; readonly remarks: readonly SeriesRemark[] } {
  const { raw, remarks: told } = read;
  const remarks: SeriesRemark[] = told.filter(
    ({ code }) => code !== 'looks-like-series' && code !== 'columns-left-out',
  );
  const add: Add = (code, message) => remarks.push({ code, message });
  const time = chooseTimes(read, add);
  const left = leftOut({ raw, facts: read.facts.filter(({ name }) => name !== time?.column) });
  if (left) add('columns-left-out', left);
  const rows = { ...channelsOf(read, add), labels: labelsOf(read, add) };
  if (!time) refuseUnread(read);
  const order = time ? orderOf(read, time, add) : undefined;
  const steps = order ? merged(raw, rows, order, add) : { ...rows, rows: raw.numbers };
  const train = trainOf(read, order, add);
  const { channels, values, labels, ...more } = steps;
  return {
    series: { id, channels, values, ...more, ...(labels && { labels }), ...(train !== undefined && { train }) },
    remarks,
  };
}

interface Steps {
  readonly channels: readonly string[];
  readonly values: Float64Array;
  readonly labels?: Uint8Array;
}

/** The numbers of a table; what is made from times is none. */
function channelsOf({ table, raw }: LabelledTable, add: Add): Omit<Steps, 'labels'> {
  const width = table.columns.length;
  const numeric = table.columns.flatMap((column, at) =>
    column.kind === 'numeric' && !column.time ? [{ name: column.name, at }] : [],
  );
  const texts = table.columns.flatMap((column) => (column.kind === 'categorical' ? [column.name] : []));
  if (numeric.length === 0) {
    throw new DataError(
      'no-channels',
      say`${raw.file} must have a column of numbers to be a series, but has ${
        texts.length > 0 ? `only texts (${texts.slice(0, 6).join(', ')})` : 'none'
      }. Say what a column holds with ${option(['columns', '<name>'], 'numeric')}.`,
    );
  }
  if (texts.length > 0) {
    const more = texts.length > 8 ? ` and ${texts.length - 8} more` : '';
    add(
      'texts-left-out',
      say`${raw.file}: texts are left out, because the channels of a series are numbers: ${texts.slice(0, 8).join(', ')}${more}. If that is meant, say
        ${option(['columns', texts[0]], 'ignore')}.`,
    );
  }
  const values = new Float64Array(table.rows * numeric.length);
  for (let r = 0, i = 0; r < table.rows; r++) for (const { at } of numeric) values[i++] = table.cells[r * width + at];
  return { channels: numeric.map(({ name }) => name), values };
}

/** 1 for every class but the normal one; undefined where nothing is known. */
function labelsOf({ facts, labels, classes, normalClass, raw }: LabelledTable, add: Add): Uint8Array | undefined {
  const column = facts.find(({ kind }) => kind === 'label');
  if (!column) return undefined;
  if (normalClass !== undefined) return new Uint8Array(labels.length).map((_, r) => Number(labels[r] !== normalClass));
  add(
    'labels-unclear',
    say`${raw.file}: ${column.name} holds the classes ${classes.slice(0, 6).join(', ')}, none of which is known to be normal; the series has no
      labels. Name the normal one with ${option('folderNames.normal', '<value>')}.`,
  );
  return undefined;
}

/** The column of times: one that the caller named, else the first that never goes back, else the first. */
function chooseTimes({ times, table, raw }: LabelledTable, add: Add): TimeColumn | undefined {
  const [first, ...rest] = times;
  if (rest.length === 0) return first;
  const isGiven = table.columns.some((column) => column.kind === 'numeric' && column.time?.column === first.column);
  const rises = (all: Float64Array) => all.every((time, t) => t === 0 || time >= all[t - 1]);
  const chosen = isGiven ? first : (times.find((column) => rises(column.values())) ?? first);
  const others = times.filter((column) => column !== chosen).map(({ column }) => column);
  add(
    'several-times',
    say`${raw.file}: times are taken from ${chosen.column}; ${others.join(', ')} also ${others.length === 1 ? 'holds' : 'hold'} times. To use another, say
      ${option(['columns', others[0]], 'time')}.`,
  );
  return chosen;
}

/** The rows in the order of their times, and the times in that order. */
interface Order {
  readonly column: string;
  readonly rows: Uint32Array;
  readonly times: Float64Array;
}

function orderOf({ raw }: LabelledTable, time: TimeColumn, add: Add): Order {
  const { column } = time;
  const read = time.values();
  refuseMissing(raw, column, read);
  const rows = new Uint32Array(read.length).map((_, r) => r);
  let back = 0;
  for (let r = 1; r < read.length; r++) back += Math.sign(read[r] - read[r - 1]);
  if (back < -0.5 * (read.length - 1) && time.form !== 'clock') {
    rows.reverse();
    add(
      'times-reversed',
      `${raw.file}: the times in ${column} run backwards; rows are read from the last to the first.`,
    );
  }
  let times = rows.length > 0 && rows[0] !== 0 ? read.slice().reverse() : read;
  if (time.form === 'clock') times = overMidnight(raw, column, times, add);
  const changes = clockChanges(times);
  if (changes.length > 0) {
    const places = changes.map(
      ({ at, shift }) => `${shift > 0 ? 'back' : 'forward'} after ${raw.where(rows[at])} (${timeText(times[at])})`,
    );
    add(
      'daylight-saving',
      `${raw.file}: the times in ${column} go ${places.join(', ')} by one hour, which looks like daylight saving; later times are shifted so that steps stay even. ` +
        'Times with a zone, such as 2024-10-27T02:00:00+01:00, would say which hour is meant.',
    );
    times = withoutChanges(times, changes);
  }
  return moving(raw, sorted(raw, { column, rows, times }, add), add);
}

/** Refuses a column that would be one of times but for a few cells: steps would be counted instead without a word. */
function refuseUnread({ facts, raw }: LabelledTable): void {
  for (const { name, kind, why, range } of facts) {
    if (kind !== 'ignore' || why === 'as asked' || range) continue;
    const { values, code } = raw.texts(raw.heads.indexOf(name));
    const cells = Array.from({ length: raw.rows }, (_, r) => values[code(r)]);
    const isTime = (form: TimeForm) => (text: string) => text === '' || !Number.isNaN(readTime(text, form));
    const form = timeForms.find((one) => cells.filter(isTime(one)).length > MOSTLY * cells.length);
    if (form === undefined) continue;
    const bad = cells.flatMap((text, r) => (isTime(form)(text) ? [] : [`${raw.where(r)}: "${text}"`]));
    if (bad.length === 0) continue;
    throw new DataError(
      'bad-times',
      say`${raw.file} must have times in the column ${name}; not times: ${bad.slice(0, SHOWN).join('; ')}${
        bad.length > SHOWN ? `; and ${bad.length - SHOWN} more` : ''
      }. Correct them, or count the rows instead with ${option(['columns', name], 'ignore')}.`,
    );
  }
}

function refuseMissing(raw: Rows, column: string, times: Float64Array): void {
  const lines: string[] = [];
  let count = 0;
  for (let r = 0; r < times.length; r++) if (Number.isNaN(times[r]) && count++ < SHOWN) lines.push(raw.where(r));
  if (count === 0) return;
  throw new DataError(
    'missing-times',
    say`${raw.file}: every row needs a time in the column ${column}; ${count} ${count === 1 ? 'has' : 'have'} none: ${lines.join(', ')}${
      count > SHOWN ? ', …' : ''
    }. Add them, remove these rows, or count the rows instead with ${option(['columns', column], 'ignore')}.`,
  );
}

/** Times of day go on over midnight: where they fall by more than twelve hours a day has passed. */
function overMidnight(raw: Rows, column: string, clock: Float64Array, add: Add): Float64Array {
  let days = 0;
  const times = clock.map((time, t) => {
    if (t > 0 && time - clock[t - 1] < -DAY / 2) days++;
    return time + days * DAY;
  });
  if (days > 0)
    add(
      'midnights',
      `${raw.file}: ${column} holds times of day without dates; they are read as passing ${days} ${days === 1 ? 'midnight' : 'midnights'}.`,
    );
  return times;
}

function sorted(raw: Rows, order: Order, add: Add): Order {
  const { column, rows, times } = order;
  const late = lateOnes(times);
  if (late.length === 0) return order;
  const places = [...late.subarray(0, SHOWN)].map((t) => raw.where(rows[t]));
  const more = late.length > SHOWN ? ', …' : '';
  add(
    'times-out-of-order',
    `${raw.file}: ${late.length} ${late.length === 1 ? 'row has' : 'rows have'} an earlier time in ${column} than a row before: ${places.join(', ')}${more}. Rows are sorted by time.`,
  );
  const by = orderWith(times, late);
  return { column, rows: rows.map((_, t) => rows[by[t]]), times: times.map((_, t) => times[by[t]]) };
}

/** Places of times that are earlier than one before. */
function lateOnes(times: Float64Array): Uint32Array {
  let [latest, count] = [Number.NEGATIVE_INFINITY, 0];
  const late = new Uint32Array(times.length);
  for (let t = 0; t < times.length; t++) {
    if (times[t] < latest) late[count++] = t;
    else latest = times[t];
  }
  return late.slice(0, count);
}

/** The places in the order of their times, equal ones in their own: those that rise anyway, and the late ones between them. */
function orderWith(times: Float64Array, late: Uint32Array): Uint32Array {
  const isLate = new Uint8Array(times.length);
  for (const t of late) isLate[t] = 1;
  const others = late.slice().sort((a, b) => times[a] - times[b] || a - b);
  const by = new Uint32Array(times.length);
  let [to, next] = [0, 0];
  for (let t = 0; t < times.length; t++) {
    if (isLate[t]) continue;
    while (
      next < others.length &&
      (times[others[next]] < times[t] || (times[others[next]] === times[t] && others[next] < t))
    )
      by[to++] = others[next++];
    by[to++] = t;
  }
  while (next < others.length) by[to++] = others[next++];
  return by;
}

/** Rows of one time are spread where the times around them leave room. */
function moving(raw: Rows, order: Order, add: Add): Order {
  const { times, runs } = withoutStops(order.times);
  if (runs.length === 0) return order;
  const places = runs.slice(0, SHOWN).map((t) => raw.where(order.rows[t]));
  add(
    'times-stopped',
    `${raw.file}: rows share a time in ${order.column} although the times around them leave room for each, from ${places.join(', ')}${
      runs.length > SHOWN ? ', …' : ''
    }; they are spread evenly.`,
  );
  return { ...order, times };
}

/** The steps in the order of time; rows of one time are one step. */
function merged(raw: Rows, { channels, values, labels }: Steps, { column, rows, times }: Order, add: Add) {
  const width = channels.length;
  let steps = 0;
  const place = rows.map((_, t) => (t > 0 && times[t] === times[t - 1] ? steps - 1 : steps++));
  const sums = new Float64Array(steps * width);
  const counts = new Uint32Array(steps * width);
  const out = {
    times: new Float64Array(steps),
    rows: new Uint32Array(steps),
    labels: labels && new Uint8Array(steps),
  };
  const again: string[] = [];
  for (let t = 0; t < place.length; t++) {
    const [to, row] = [place[t], rows[t]];
    if (t > 0 && place[t - 1] === to) {
      if (again.length < SHOWN) again.push(raw.where(row));
    } else {
      out.times[to] = times[t];
      out.rows[to] = raw.numbers[row];
    }
    if (labels?.[row]) out.labels![to] = 1;
    for (let d = 0; d < width; d++) {
      const value = values[row * width + d];
      if (Number.isNaN(value)) continue;
      sums[to * width + d] += value;
      counts[to * width + d]++;
    }
  }
  const repeated = rows.length - steps;
  if (repeated > 0) {
    const split = repeated >= steps ? ' If the file holds several series, split it into one file each.' : '';
    add(
      'repeated-times',
      `${raw.file}: ${repeated} ${repeated === 1 ? 'row repeats' : 'rows repeat'} a time in ${column}: ${again.join(', ')}${repeated > SHOWN ? ', …' : ''}. ` +
        `Rows with the same time become one step: the mean of their values, anomalous if any of them is.${split}`,
    );
  }
  return { channels, values: sums.map((sum, i) => sum / counts[i]), ...out };
}

/** The first steps that the parts say are for training. */
function trainOf({ parts, raw }: LabelledTable, order: Order | undefined, add: Add): number | undefined {
  if (!parts?.includes('train')) return undefined;
  if (parts.every((part) => part === 'train')) return undefined;
  const isStart = (t: number) => !order || t === 0 || order.times[t] !== order.times[t - 1];
  const inOrder = order ? Array.from(order.rows, (row) => parts[row]) : parts;
  const end = inOrder.findIndex((part) => part !== 'train');
  if (!inOrder.includes('train', end)) {
    let steps = 0;
    for (let t = 0; t < end; t++) if (isStart(t)) steps++;
    return isStart(end) ? steps : steps - 1;
  }
  const later = inOrder.indexOf('train', end);
  const place = raw.where(order ? order.rows[later] : later);
  add(
    'parts-mixed',
    `${raw.file}: rows of the part train must come first in time, but ${place} comes after rows of other parts; the parts are ignored.`,
  );
  return undefined;
}
