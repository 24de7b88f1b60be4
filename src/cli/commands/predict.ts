/** `oddity predict <run> <images...>`: score image files with a trained model. */
import { join } from 'node:path';
import type { Command } from 'commander';
import type { AlarmChannel } from '../../core/alarms.ts';
import { ConfigError, nearestName, unknownName } from '../../core/errors.ts';
import { parseShard, type Shard } from '../../core/shard.ts';
import { visible } from '../../core/visible.ts';
import { findImages, listNamedIn } from '../../data/index.ts';
import { makeFolder, writeAtomic, writeJson } from '../../runs/files.ts';
import { checkMapFormat, type MapFormat, mapFormats } from '../../runs/map-files.ts';
import { columnsText, placeOf, predictionsCsv, regionsCsv } from '../../runs/predictions-csv.ts';
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
import type { SpeechOptions, Terminal } from '../terminal.ts';
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
  readonly list?: string;
  readonly shard?: Shard;
}

export function addPredict(command: Command): void {
  command
    .argument('<run>', 'a run folder or an exported model')
    .argument(
      '[images...]',
      'image files, folders, or patterns in quotes such as "parts/**/*.png"; files of rows where the model is of a table or of series; folders of frames and videos where it is of clips',
    )
    .option('--format <name>', 'csv or json: of the predictions in --out, or else on stdout', format)
    .option(
      '--maps <list>',
      `files of each map in --out: ${mapFormats.join(', ')}, with commas; the name of a folder writes pictures there`,
    )
    .option(
      '--out <folder>',
      'where predictions.csv (or .json), regions.csv and maps go; as CSV of images or rows in constant memory, resumed by the same command',
    )
    .option('--list <file>', 'score what a text file names, one path on each line')
    .option(
      '--shard <i/n>',
      'score part i of n only, into an --out of its own; oddity merge puts the parts together',
      parseShard,
    )
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
    if (images.length > 0 === (options.list !== undefined))
      throw new ConfigError('what-to-score', 'Name images or files of rows, or a file of their paths with --list.');
    const { predict, kindOfArtifact } = await engine();
    const kind = await kindOfArtifact(run);
    if (isParted(options, kind)) return predictParted(terminal, options, { run, images });
    const named = options.list === undefined ? images : await pathsIn(options.list);
    // A folder is a clip where the model takes clips, and else stands for the images in it.
    const files = kind === 'clip' ? named : await findImages(named, terminal.listener);
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

/** True where parts of the input are scored and written one after the other. */
function isParted(options: Options, kind: string | undefined): boolean {
  const { out, shard, format, maps, csv, fdr, alarms, exclude } = { ...options, alarms: alarmRuleOf(options) };
  const whole = { format: format === 'json' ? format : undefined, maps, csv, fdr, exclude, alarms };
  const asked = Object.entries(whole).filter(([, value]) => value !== undefined);
  if (shard === undefined)
    return out !== undefined && asked.length === 0 && !options.json && (kind === 'image' || kind === 'table');
  if (out === undefined) throw new ConfigError('shard-where', '--shard needs a folder for its part: --out <folder>.');
  if (asked.length === 0) return true;
  const [name] = asked[0];
  throw new ConfigError(
    'shard-of-whole',
    `--shard writes scores, decisions and regions as CSV; ${name === 'alarms' ? 'alarms need' : `--${name} needs`} all at once. Leave it out.`,
  );
}

/** Scores parts of the input, and shows what is in the files. */
async function predictParted(
  terminal: Terminal,
  options: Options,
  { run, images }: { run: string; images: string[] },
): Promise<number> {
  const { out, list, shard, device, maxPixels, top } = options;
  const { listener: onEvent, signal } = terminal;
  const { predictInto } = await engine();
  const found = await predictInto({
    run,
    ...(list === undefined ? { items: images } : { list }),
    out: out!,
    shard,
    device,
    maxPixels,
    top,
    onEvent,
    signal,
  });
  const { all, top: highest, scored, failed, threshold } = found;
  const warning = threshold.sawTest ? sawTestBanner : null;
  const parts = [...(warning ? [warning] : [])];
  const shown = { ...found, predictions: all?.predictions ?? highest, failed: [] };
  if (shown.predictions.length > 0) parts.push(tableOf(shown, all ? top : (top ?? MOST_ROWS), scored));
  if (failed > 0)
    parts.push(lostText(all?.failed ?? [], { failed, of: scored + failed, file: join(out!, 'failed.csv') }));
  parts.push(`written to ${out}`);
  terminal.answer({ ...found, all: undefined, warning }, parts.join('\n\n'));
  return failed > 0 ? SOME_FAILED : 0;
}

/** Failures that are listed beside the file of all. */
const MOST_LOST = 50;

/** What could not be scored; of many the file that lists them. */
function lostText(
  shown: PredictResult['failed'],
  { failed, of, file }: { failed: number; of: number; file: string },
): string {
  const lines = shown.slice(0, MOST_LOST).map((one) => visible(said(one)));
  const more = failed > lines.length ? [`all are in ${file}`] : [];
  return [`${failed} of ${of} could not be scored:`, ...lines, ...more].join('\n');
}

/** The paths in a text file. */
async function pathsIn(file: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const path of (await listNamedIn(file)).paths()) paths.push(path);
  return paths;
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
function tableOf(
  {
    predictions: all,
    threshold,
    mapThreshold,
    discoveries,
  }: Pick<PredictResult, 'predictions' | 'threshold' | 'mapThreshold' | 'discoveries'>,
  top?: number,
  count = all.length,
): string {
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
  const hidden = count - predictions.length;
  const more = hidden > 0 ? `\nand ${hidden} with lower scores (--top ${count} shows all)` : '';
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
