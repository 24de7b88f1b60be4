/**
 * Streams of lines: each line is a point, which is scored, judged and learnt as it comes; alarms are told at once, and the whole
 * is saved, with how far the file was read, so that whoever is stopped goes on where it was. Node only.
 */
import { setImmediate } from 'node:timers/promises';
import * as z from 'zod';
import type { AlarmRule } from '../core/alarms.ts';
import { Cancelled, ConfigError, DataError, unknownName } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import { propertiesOf } from '../core/schema.ts';
import { parseStored } from '../core/stored.ts';
import { option, optionList, say } from '../core/text.ts';
import type { Detector } from '../engine/scoring/detector.ts';
import type { Device } from '../runtime/index.ts';
import { fixedThreshold, type StreamOptions, streamDetectors, streamThresholds } from '../streaming/index.ts';
import { decodeState, encodeState, nestedState } from '../streaming/state.ts';
import { closed } from './closing.ts';
import { loadDetector } from './detector.ts';
import { readIfThere, writeAtomic } from './files.ts';
import { openAccount, type StreamedStep, type StreamRecord, type StreamSummary } from './stream-account.ts';
import { rolesOf, storedColumns } from './stream-columns.ts';
import { atStart, checkContinued, type Position, readLines, storedPosition } from './stream-input.ts';
import { openLearning } from './stream-learning.ts';
import { openSession, type Progress, type Session } from './stream-session.ts';
import { delayText, openTrained } from './stream-trained.ts';

export type { StreamedStep, StreamRecord, StreamSummary } from './stream-account.ts';

/** What is streamed, and how. */
export interface StreamLinesOptions {
  /** A run's folder, an artefact's folder or its `model.onnx`, of series: its detector scores the lines and learns nothing from them. */
  readonly run?: string;
  /** Where the graph of a run is run (default: auto). */
  readonly device?: Device | 'auto';
  /** A file of CSV with a head, or of JSON objects, one per line; UTF-8. */
  readonly file?: string;
  /** The same as bytes, where there is no file. */
  readonly input?: AsyncIterable<Uint8Array>;
  /** A detector of streams by name (default: half-space-trees). */
  readonly detector?: string;
  /** Options of the detector and of the threshold. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** A threshold of streams by name, or a number that stays (default: spot). */
  readonly threshold?: string | number;
  /** The wanted share of normal points above the threshold. */
  readonly fpr?: number;
  readonly alarms?: AlarmRule;
  /** Names of the columns that are channels (default: columns of numbers). */
  readonly channels?: readonly string[];
  /** A file that keeps what was learnt and how far was read: read where it is there, written every 10,000 points and at the end. */
  readonly state?: string;
  /** Waits for the file to grow, until the signal aborts. */
  readonly follow?: boolean;
  /** Gives a record for every step, and not only where an alarm begins or ends. */
  readonly every?: boolean;
  /** Gets each record; the next line is read when it is done with it. */
  onRecord(record: StreamRecord): void | Promise<void>;
  /** Hears each step once it was scored, whether a record is given of it or not. */
  onStep?(step: StreamedStep): void;
  /** Gets the summary, also of a stream that is stopped. */
  onSummary?(summary: StreamSummary): void;
  readonly onEvent?: Listener;
  /** Stops: the state is saved, and Cancelled is thrown. */
  readonly signal?: AbortSignal;
}

/** Points after which the state is saved. */
const SAVE_EVERY = 10_000;
/** Milliseconds after which signals are heard in between. */
const BREATH_MS = 50;
const KIND = 'streamed lines';

const storedAbout = z.object({
  ...storedColumns,
  position: storedPosition.nullable(),
  told: z.number(),
  lastTime: z.number().nullable(),
  waiting: z.array(z.tuple([z.int().min(1), z.number().nullable()])).optional(),
  step: z.number().nullable().optional(),
});

/**
 * Scores lines as they come. A point with a cell that is no number is skipped, counted and told; another head, another number of
 * cells or a file that begins anew ends the stream. Where a state is kept an alarm that lasts at the end goes on with the next
 * lines; else it ends there. After a kill lines behind the last saved state are read again, and give the same records.
 * ConfigError for options; DataError `stream-head`, `stream-line`, `stream-file`, `stream-file-anew`, `no-channels`,
 * `stream-state-damaged`, `stream-state-other`; Cancelled.
 * @example
 * await streamLines({ file: 'load.csv', state: 'load.state', onRecord: (r) => console.log(r.line, r.alarm) });
 */
export async function streamLines(options: StreamLinesOptions): Promise<StreamSummary> {
  const { file, state, signal } = options;
  if (options.follow && file === undefined)
    throw new ConfigError('follow', say`${option('follow')} needs a file: input that is streamed ends by itself.`);
  if (options.run !== undefined) checkTrained(options);
  const opener = options.run === undefined ? openerOf(options) : undefined;
  const saved = state === undefined ? undefined : await readState(state);
  const from = (file !== undefined && saved?.about.position) || undefined;
  if (file !== undefined && from) await checkContinued(file, from);
  if (opener) return await streamThrough(options, { opener, saved, from });
  const detector = await loadDetector(options.run!, { device: options.device, signal, onEvent: options.onEvent });
  try {
    return await streamThrough(options, { detector, saved, from });
  } finally {
    await closed(detector, signal);
  }
}

/** What lines go through: a detector that learns from them, or a trained one. */
interface Through {
  readonly opener?: ReturnType<typeof openerOf>;
  readonly detector?: Detector;
  readonly saved?: Awaited<ReturnType<typeof readState>>;
  readonly from?: Position;
}

function sessionOf(options: StreamLinesOptions, { opener, detector, saved, from }: Through): Session {
  const { file, state, threshold } = options;
  const name = file ?? 'input';
  const tell = options.onEvent ?? silent;
  const before = saved && { ...saved.about, position: from ?? atStart, stream: saved.stream };
  const restoring = (restore: () => void) => inFile(state ?? '', restore);
  const how = { alarms: options.alarms, ...(typeof threshold === 'number' && { threshold }) };
  if (detector) tell({ type: 'log', level: 'info', message: delayText(detector, detector.stream(how).delay) });
  const wanted = detector ? detector.info.table?.columns.map((column) => column.name) : options.channels;
  return openSession({
    name,
    rolesOf(head, samples) {
      if (detector) checkChannels(name, wanted ?? [], head.columns);
      return rolesOf(head, samples, wanted);
    },
    fixesChannels: wanted !== undefined,
    saved: before,
    openWork(head, roles) {
      const { every = false, onStep } = options;
      const account = openAccount(head, roles, { name, every, tell, onStep, saved: before });
      const common = { account, restoring };
      if (detector)
        return openTrained({ ...common, detector, how, name, endsSteps: state === undefined, tell, saved: before });
      const channels = roles.channels.map((c) => head.columns[c]);
      return openLearning({
        ...common,
        parts: opener!(channels.length),
        channels,
        endsAlarms: state === undefined,
        saved: before?.stream,
      });
    },
  });
}

async function streamThrough(options: StreamLinesOptions, through: Through): Promise<StreamSummary> {
  const { file, state, signal, onRecord } = options;
  const { from } = through;
  const session = sessionOf(options, through);
  const save = async () => {
    const progress = session.progress();
    if (state === undefined || !progress) return;
    await writeAtomic(state, bytesOf(progress, file !== undefined));
  };
  const keepsRest = options.follow === true || (file !== undefined && state !== undefined);
  let isTold = true;
  const give = async (records: readonly StreamRecord[]) => {
    isTold = false;
    for (const record of records) await onRecord(record);
    isTold = true;
  };
  try {
    await runThrough(session, {
      batches: readLines({ ...options, from: from ?? atStart, keepsRest }),
      give,
      save,
      signal,
    });
  } catch (error) {
    // Lines before the bad one stay learnt, unless their records were lost.
    if (isTold) {
      await give(await session.flush());
      await save();
    }
    if (session.points > 0) options.onSummary?.(session.summary());
    throw error;
  }
  await save();
  const summary = session.summary();
  options.onSummary?.(summary);
  if (signal?.aborted) throw stopped(summary, state);
  return summary;
}

interface Work {
  readonly batches: ReturnType<typeof readLines>;
  give(records: readonly StreamRecord[]): Promise<void>;
  save(): Promise<void>;
  readonly signal?: AbortSignal;
}

/** Takes all lines, one after the other, until they end or the signal aborts. */
async function runThrough(session: Session, { batches, give, save, signal }: Work): Promise<void> {
  let [saved, breath] = [0, performance.now()];
  for await (const lines of batches) {
    for (const line of lines) {
      await give(session.take(line));
      if (session.points - saved >= SAVE_EVERY) {
        saved = session.points;
        await give(await session.flush());
        await save();
      }
      if (performance.now() - breath > BREATH_MS) {
        await setImmediate();
        breath = performance.now();
      }
      if (signal?.aborted) break;
    }
    await give(await session.flush());
    if (signal?.aborted) return;
  }
  await give(await session.end());
}

function stopped({ line }: StreamSummary, state: string | undefined): Cancelled {
  if (state === undefined) return new Cancelled(`Stopped after line ${line}.`);
  return new Cancelled(`Stopped after line ${line}. ${state} keeps what was learnt: run the same again to go on.`);
}

/** Refuses what only detectors that learn from the lines have. */
function checkTrained({ detector, threshold, fpr, config = {}, channels }: StreamLinesOptions): void {
  const moving = typeof threshold === 'string' ? threshold : undefined;
  const set = Object.keys(config).length > 0 ? config : undefined;
  const given = Object.entries({ detector, threshold: moving, fpr, config: set, channels }).flatMap(([name, value]) =>
    value === undefined ? [] : [name],
  );
  if (given.length === 0) return;
  throw new ConfigError(
    'stream-trained',
    say`A trained detector has its own channels, options and threshold. Leave ${optionList(given)} out; a number for ${option('threshold')}
      takes the place of its threshold.`,
  );
}

/** Refuses lines without a channel that the detector was trained on. */
function checkChannels(name: string, wanted: readonly string[], columns: readonly string[]): void {
  const absent = wanted.filter((channel) => !columns.includes(channel));
  if (absent.length === 0) return;
  throw new DataError(
    'missing-channels',
    `${name} must have the ${wanted.length} channels that the detector was trained on, but lacks ${absent.slice(0, 8).join(', ')}${
      absent.length > 8 ? ` and ${absent.length - 8} more` : ''
    }. Add them, or name them as in training.`,
  );
}

/** How detector and threshold are opened for some channels; all options are checked before anything is read. */
function openerOf(options: StreamLinesOptions): (channels: number) => Omit<StreamOptions, 'channels'> {
  const { detector: name = 'half-space-trees', threshold: wanted = 'spot', fpr, config = {} } = options;
  const detector = streamDetectors.find((d) => d.name === name);
  if (!detector) throw unknownName('detector', name, names(streamDetectors), 'detector');
  const movable = streamThresholds.filter((t) => t !== fixedThreshold);
  const threshold = typeof wanted === 'number' ? fixedThreshold : movable.find((t) => t.name === wanted);
  if (!threshold) throw unknownName('threshold', String(wanted), names(movable), 'threshold');
  const known = new Set(Object.keys(propertiesOf(detector.config)));
  const ofThreshold = new Set(typeof wanted === 'number' ? [] : Object.keys(propertiesOf(threshold.config)));
  // A key that both have is the detector's; one that nobody has goes there too, to be refused.
  const entries = Object.entries(config);
  const goesToThreshold = ([key]: [string, unknown]) => !known.has(key) && ofThreshold.has(key);
  const own = Object.fromEntries(entries.filter((e) => !goesToThreshold(e)));
  const moving = { ...rateOf(threshold.name, fpr), ...Object.fromEntries(entries.filter(goesToThreshold)) };
  const settings = typeof wanted === 'number' ? { value: wanted } : moving;
  const open = (channels: number) => ({
    detector: detector.open(channels, own),
    threshold: threshold.open(settings),
    alarms: options.alarms,
  });
  open(1);
  return open;
}

const names = (all: readonly { readonly name: string }[]) => all.map((one) => one.name);

/** The option of a threshold that a rate of false positives sets. */
function rateOf(threshold: string, fpr: number | undefined): Record<string, number> {
  if (fpr === undefined) return {};
  const most = threshold === 'rolling-quantile' ? 0.5 : 0.1;
  if (!(fpr > 0 && fpr <= most))
    throw new ConfigError('option-range', { option: 'fpr', value: fpr, must: `a number above 0 and at most ${most}` });
  if (threshold === fixedThreshold.name)
    throw new ConfigError(
      'threshold-rate',
      say`A threshold that is a number has no rate of false positives to aim at. Leave ${option('fpr')} out.`,
    );
  return threshold === 'rolling-quantile' ? { quantile: 1 - fpr } : { rate: fpr };
}

/** What a state holds. */
async function readState(path: string) {
  const bytes = await readIfThere(path);
  if (!bytes) return undefined;
  return inFile(path, () => {
    const { arrays } = decodeState(KIND, bytes);
    const refuse = (what: string) =>
      new DataError(
        'stream-state-damaged',
        `The saved state of a stream cannot be read: ${what}. Start the stream anew.`,
      );
    const about = parseStored(storedAbout, JSON.parse(new TextDecoder().decode(nestedState(arrays, 'about'))), refuse);
    const { head, roles } = about;
    if (roles.time >= head.columns.length || roles.channels.some((c) => c >= head.columns.length))
      throw refuse('it has more channels than columns');
    return { about, stream: nestedState(arrays, 'stream') };
  });
}

/** Calls `work`; names the file in its errors. */
function inFile<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof DataError) throw new DataError(error.code, say`${path}: ${error.text}`);
    throw error;
  }
}

/** The bytes of a state; the place is that of a file. */
function bytesOf({ stream, position, ...about }: Progress, isOfFile: boolean): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify({ ...about, position: isOfFile ? position : null }));
  return encodeState(KIND, {}, { about: text, stream });
}
