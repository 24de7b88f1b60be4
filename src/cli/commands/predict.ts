/** `oddity predict <run> <images...>`: score image files with a trained model. */
import { join } from 'node:path';
import type { Command } from 'commander';
import type { AlarmChannel } from '../../core/alarms.ts';
import { csv } from '../../core/csv.ts';
import { ConfigError, nearestName, unknownName } from '../../core/errors.ts';
import { visible } from '../../core/visible.ts';
import { findImages, reasonText } from '../../data/index.ts';
import { makeFolder, writeAtomic, writeJson } from '../../runs/files.ts';
import { checkMapFormat, type MapFormat, mapFormats } from '../../runs/map-files.ts';
import { checkNoRun } from '../../runs/run-files.ts';
import type { Device } from '../../runtime/runtime.ts';
import { act } from '../act.ts';
import { engine, type PredictResult } from '../engine.ts';
import { SOME_FAILED } from '../exit-codes.ts';
import {
  type AlarmOptions,
  addAlarmFlags,
  addDevice,
  addSpeech,
  alarmRuleOf,
  commaList,
  integer,
  number,
} from '../options.ts';
import { table } from '../render.ts';
import { chosenBy, forecastText, sawTestBanner } from '../report.ts';
import type { SpeechOptions } from '../terminal.ts';
import { inCommandWords, said } from '../words.ts';

interface Options extends SpeechOptions, AlarmOptions {
  readonly device?: Device | 'auto';
  readonly csv?: string;
  readonly exclude?: string[];
  readonly fdr?: number;
  readonly format?: 'csv' | 'json';
  readonly maps?: string;
  readonly out?: string;
  readonly maxPixels?: number;
  readonly top?: number;
}

type Prediction = PredictResult['predictions'][number];

export function addPredict(command: Command): void {
  command
    .argument('<run>', 'a run folder or an exported model')
    .argument(
      '<images...>',
      'image files, folders, or patterns in quotes such as "parts/**/*.png"; files of rows where the model is of a table or of series; folders of frames and videos where it is of clips',
    )
    .option('--format <name>', 'csv or json: of the predictions in --out, or else on stdout', format)
    .option(
      '--maps <list>',
      `files of each map in --out: ${mapFormats.join(', ')}, with commas; the name of a folder writes pictures there`,
    )
    .option('--out <folder>', 'where predictions.csv (or .json), regions.csv and maps go')
    .option('--top <n>', 'show only so many, those with the highest scores; alarms of series', integer('--top', 1))
    .option('--csv <file>', 'write the predictions as CSV too')
    .option(
      '--fdr <rate>',
      'decide by a false discovery rate over all images or rows: the expected share of normal ones among those found',
      number('--fdr'),
    )
    .option('--max-pixels <n>', 'refuse image files with more pixels (default: 100000000)', integer('--max-pixels', 1));
  addAlarmFlags(command, 'as trained');
  command.option(
    '--exclude <from/to|file>',
    'leave out an interval of series, or those of a CSV file; may be repeated',
    (text: string, before: string[] = []) => [...before, text],
  );
  addDevice(command);
  addSpeech(command);
  act(command, async (terminal, options: Options, run: string, images: string[]) => {
    const { device, format, out, maxPixels } = options;
    const maps = mapsOf(options);
    for (const path of [out, options.csv]) if (path !== undefined) checkNoRun(path);
    const { predict, kindOfArtifact } = await engine();
    // A folder is a clip where the model takes clips, and else stands for the images in it.
    const ofClips = (await kindOfArtifact(run)) === 'clip';
    const files = ofClips ? images : await findImages(images, terminal.listener);
    if (out !== undefined) await makeFolder(out);
    const { listener: onEvent, signal } = terminal;
    const result = await predict({
      run,
      images: files,
      device,
      maxPixels,
      ...maps,
      alarms: alarmRuleOf(options),
      exclude: options.exclude,
      fdr: options.fdr,
      onEvent,
      signal,
    });
    const { predictions, failed, threshold } = result;
    const warning = threshold.sawTest ? sawTestBanner : null;
    const answer = { ...result, warning };
    if (options.csv) await writeAtomic(options.csv, predictionsCsv(predictions));
    if (out !== undefined) {
      if (format === 'json') await writeJson(join(out, 'predictions.json'), answer);
      else {
        await writeAtomic(join(out, 'predictions.csv'), predictionsCsv(predictions));
        if (result.mapSize) await writeAtomic(join(out, 'regions.csv'), regionsCsv(predictions));
        const alarms = result.alarms ?? result.frameAlarms;
        if (alarms) await writeJson(join(out, 'alarms.json'), alarmsFile(result, alarms));
      }
    }
    const lost = [
      `${failed.length} of ${predictions.length + failed.length} could not be scored:`,
      ...failed.map((one) => visible(said(one))),
    ];
    if (out === undefined && format === 'csv' && !options.json) {
      terminal.answer(answer, predictionsCsv(predictions).trimEnd());
      for (const line of [...(warning ? [warning] : []), ...(failed.length > 0 ? lost : [])]) terminal.note(line);
    } else if (out === undefined && format === 'json') {
      terminal.answer(answer, JSON.stringify(answer, inCommandWords, 2));
    } else {
      const shown = shownOf(result, options.top);
      const parts = [...(warning ? [warning] : []), ...(predictions.length > 0 ? [shown] : [])];
      if (failed.length > 0) parts.push(lost.join('\n'));
      if (out !== undefined) parts.push(`written to ${out}`);
      terminal.answer(answer, parts.join('\n\n'));
    }
    return failed.length > 0 ? SOME_FAILED : 0;
  });
}

function format(text: string): 'csv' | 'json' {
  if (text === 'csv' || text === 'json') return text;
  throw unknownName('format', text, ['csv', 'json']);
}

/** What `--maps` asks for: formats, which go to `--out`, or a folder for pictures. */
function mapsOf({ maps, out }: Options): { maps?: string; mapFormats?: MapFormat[] } {
  if (maps === undefined) return {};
  const names = commaList(maps);
  const isFolder = names.length === 1 && !nearestName(names[0], mapFormats);
  if (isFolder) return { maps };
  const formats = names.map(checkMapFormat);
  if (out === undefined)
    throw new ConfigError('maps-where', `--maps ${maps} needs a folder for the files: --out <folder>.`);
  return { maps: join(out, 'maps'), mapFormats: formats };
}

/** Alarms of series and clips; a table of what else was scored. */
function shownOf(result: PredictResult, top?: number): string {
  const { alarms, frameAlarms } = result;
  if (alarms) return alarmsText(result, alarms, top);
  return frameAlarms ? frameAlarmsText(result, frameAlarms, top) : tableOf(result, top);
}

/** Rows come with the highest score first; images in their order, unless only the top ones are wanted. */
function tableOf({ predictions: all, threshold, mapThreshold, discoveries }: PredictResult, top?: number): string {
  const ofRows = all.some((p) => p.columns);
  const ranked = ofRows || top !== undefined ? [...all].sort((a, b) => b.score - a.score) : all;
  const predictions = ranked.slice(0, top ?? (ofRows ? MOST_ROWS : ranked.length));
  const rows = predictions.map((p) => [
    p.score.toPrecision(5),
    p.pValue === undefined ? '–' : p.pValue.toPrecision(2),
    p.decision ?? '–',
    p.columns ? columnsText(p.columns) : mapThreshold === null ? '–' : String(p.regions.length),
    placeOf(p),
  ]);
  const head = ['score', 'p-value', 'decision', ofRows ? 'columns' : 'regions', ofRows ? 'row' : 'image'];
  const hidden = all.length - predictions.length;
  const more = hidden > 0 ? `\nand ${hidden} with lower scores (--top ${all.length} shows all)` : '';
  const shown = `${table(head, rows, ofRows ? [0] : [0, 3])}${more}`;
  if (discoveries) {
    const { count, largest, rate } = discoveries;
    const at = count > 0 ? ` (p-values to ${largest.toPrecision(2)})` : '';
    return `${shown}\n\n${count} of ${all.length} found at a false discovery rate of ${rate}${at}`;
  }
  const value = threshold.value === null ? 'none' : `${threshold.value.toPrecision(5)}, ${chosenBy(threshold.rule)}`;
  const band = threshold.review ? `; review from ${threshold.review.from.toPrecision(5)}` : '';
  const expected = forecastText(threshold, ofRows ? 'rows' : 'images');
  return `${shown}\n\nthreshold ${value}${band}${expected === undefined ? '' : `\nexpect ${expected} to reach it`}`;
}

/** The alarms of series, the highest first. */
function alarmsText(
  { predictions, threshold }: PredictResult,
  alarms: NonNullable<PredictResult['alarms']>,
  top = MOST_ROWS,
): string {
  const ranked = [...alarms].sort((a, b) => b.peak.score - a.peak.score).slice(0, top);
  const rows = ranked.map(({ path, lines, times, steps, peak, level, channels }) => [
    peak.score.toPrecision(5),
    level ?? '–',
    times ? `${plainTime(times[0])} to ${plainTime(times[1])}` : '',
    String(steps),
    channels.map(channelText).join('; '),
    `${path}:${lines[0]}-${lines[1]}`,
  ]);
  const value = threshold.value === null ? 'none' : `${threshold.value.toPrecision(5)}, ${chosenBy(threshold.rule)}`;
  const expected = forecastText(threshold, 'steps');
  const found =
    alarms.length === 0
      ? `No step of ${predictions.length} reaches the threshold.`
      : table(['peak', 'severity', 'time', 'steps', 'channels', 'lines'], rows, [0, 3]);
  const hidden = alarms.length - ranked.length;
  const more = hidden > 0 ? `\nand ${hidden} lower alarms (--top ${alarms.length} shows all)` : '';
  return `${found}${more}\n\nthreshold ${value}${expected === undefined ? '' : `\nexpect ${expected} to reach it`}`;
}

/** `temperature 24.1 (usually 19.2 to 21.3), 97 %`. */
function channelText({ name, share, actual, usual }: AlarmChannel): string {
  const range = usual && ` (usually ${usual.map((v) => Number(v.toPrecision(4))).join(' to ')})`;
  return `${name} ${actual ?? ''}${range ?? ''}, ${Math.round(100 * share)} %`;
}

/** What `alarms.json` holds. */
const alarmsFile = (
  { threshold, alarmRule }: PredictResult,
  alarms: NonNullable<PredictResult['alarms' | 'frameAlarms']>,
) => ({
  format: 'oddity-alarms-1',
  threshold: threshold.value,
  rule: alarmRule,
  alarms,
});

/** The alarms of clips, the highest first. */
function frameAlarmsText(
  { predictions, threshold }: PredictResult,
  alarms: NonNullable<PredictResult['frameAlarms']>,
  top = MOST_ROWS,
): string {
  const ranked = [...alarms].sort((a, b) => b.peak.score - a.peak.score).slice(0, top);
  const rows = ranked.map(({ path, frames, seconds, peak, level, regions }) => [
    peak.score.toPrecision(5),
    level ?? '',
    `${frames[0]} to ${frames[1]}`,
    seconds ? `${seconds[0].toFixed(2)} to ${seconds[1].toFixed(2)}` : '',
    String(peak.frame),
    String(regions.length),
    path,
  ]);
  const value = threshold.value === null ? 'none' : `${threshold.value.toPrecision(5)}, ${chosenBy(threshold.rule)}`;
  const expected = forecastText(threshold, 'frames');
  const found =
    alarms.length === 0
      ? `No frame of ${predictions.length} reaches the threshold.`
      : table(['peak', 'severity', 'frames', 'seconds', 'highest', 'regions', 'clip'], rows, [0, 4, 5]);
  const hidden = alarms.length - ranked.length;
  const more = hidden > 0 ? `\nand ${hidden} lower alarms (--top ${alarms.length} shows all)` : '';
  return `${found}${more}\n\nthreshold ${value}${expected === undefined ? '' : `\nexpect ${expected} to reach it`}`;
}

/** `2014-01-31 06:25:00`. */
const plainTime = (iso: string) => iso.slice(0, 19).replace('T', ' ');

/** Rows that the terminal shows unless --top says otherwise. */
const MOST_ROWS = 20;

/** The file of an image; file and line of a row. */
const placeOf = ({ path, line }: Prediction) => (line === undefined ? path : `${path}:${line}`);

const columnsText = (columns: NonNullable<Prediction['columns']>) =>
  columns
    .filter(({ share }, i) => i === 0 || share >= 0.05)
    .map(reasonText)
    .join('; ');

/** Numbers as they are; empty where there is none. */
const cell = (value: number | string | null | undefined) =>
  value === null || value === undefined ? '' : String(value);

function predictionsCsv(predictions: readonly Prediction[]): string {
  if (predictions.some((p) => p.frame !== undefined)) return framesCsv(predictions);
  if (predictions.some((p) => p.line !== undefined && !p.columns)) return stepsCsv(predictions);
  const ofRows = predictions.some((p) => p.columns);
  const about = ofRows ? ['columns'] : ['regions', 'regionArea'];
  const head = ['path', 'score', 'threshold', 'isAnomalous', 'decision', 'pValue', ...about];
  const rows = predictions.map((p) => [
    placeOf(p),
    cell(p.score),
    cell(p.threshold),
    p.isAnomalous === null ? '' : p.isAnomalous ? '1' : '0',
    cell(p.decision),
    cell(p.pValue),
    ...(p.columns
      ? [columnsText(p.columns)]
      : [cell(p.regions.length), cell(p.regions.reduce((sum, r) => sum + r.area, 0))]),
  ]);
  return csv(head, rows);
}

/** One line per step of a series; with what is expected of each channel, where the detector expects something. */
function stepsCsv(predictions: readonly Prediction[]): string {
  const known = predictions.find((p) => p.expected);
  const kinds = known?.lower ? (['expected', 'lower', 'upper'] as const) : known ? (['expected'] as const) : [];
  const names = Object.keys(known?.expected ?? {});
  const rows = predictions.map((p) => [
    placeOf(p),
    cell(p.time),
    cell(p.score),
    cell(p.threshold),
    p.isAnomalous === null ? '' : p.isAnomalous ? '1' : '0',
    cell(p.decision),
    ...names.flatMap((name) => kinds.map((kind) => cell(p[kind]?.[name]))),
  ]);
  const about = names.flatMap((name) => kinds.map((kind) => `${name} ${kind}`));
  return csv(['path', 'time', 'score', 'threshold', 'isAnomalous', 'decision', ...about], rows);
}

/** One line per frame of a clip. */
function framesCsv(predictions: readonly Prediction[]): string {
  const rows = predictions.map((p) => [
    p.path,
    cell(p.frame),
    cell(p.seconds),
    cell(p.score),
    cell(p.threshold),
    p.isAnomalous === null ? '' : p.isAnomalous ? '1' : '0',
    cell(p.decision),
  ]);
  return csv(['path', 'frame', 'seconds', 'score', 'threshold', 'isAnomalous', 'decision'], rows);
}

/** One line per region, in pixels of the image. */
function regionsCsv(predictions: readonly Prediction[]): string {
  const rows = predictions.flatMap(({ path, regions }) =>
    regions.map((r, i) => [path, ...[i + 1, r.x, r.y, r.width, r.height, r.area, r.peak].map(String)]),
  );
  return csv(['path', 'region', 'x', 'y', 'width', 'height', 'area', 'peak'], rows);
}
