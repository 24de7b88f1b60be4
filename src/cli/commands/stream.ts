/** `oddity stream [run] [file]`: scores lines as they come, and writes alarms as NDJSON. */
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { readNumber } from '../../core/schema.ts';
import { visibleJson } from '../../core/visible.ts';
import { durationText } from '../../data/table/times.ts';
import { type StreamSummary, streamLines } from '../../runs/stream.ts';
import { type Device, deviceNames } from '../../runtime/runtime.ts';
import { streamDetectors, streamThresholds } from '../../streaming/index.ts';
import { act } from '../act.ts';
import {
  type AlarmOptions,
  addAlarmFlags,
  alarmRuleOf,
  collectSetting,
  commaList,
  integer,
  number,
} from '../options.ts';
import type { SpeechOptions } from '../terminal.ts';

interface Options extends SpeechOptions, AlarmOptions {
  readonly device?: Device | 'auto';
  readonly detector?: string;
  readonly threshold?: string;
  readonly fpr?: number;
  readonly set?: Readonly<Record<string, string>>;
  readonly channels?: string[];
  readonly state?: string;
  readonly follow?: boolean;
  readonly every?: boolean;
}

const detectorNames = streamDetectors.map(({ name }) => name);
const thresholdNames = streamThresholds.map(({ name }) => name).filter((name) => name !== 'fixed');

export function addStream(command: Command): void {
  command
    .argument('[run]', 'a run folder or an exported model of series; without it a detector learns from the lines')
    .argument('[file]', 'CSV with a head, or a JSON object per line; - or nothing reads standard input')
    .optionsGroup('Detector:')
    .option('--detector <name>', `without a run: ${detectorNames.join(', ')} (default: half-space-trees)`)
    .option(
      '--threshold <name>',
      `${thresholdNames.join(', ')}, or a number that stays (default: spot; of a run, its own)`,
    )
    .option('--fpr <share>', 'wanted share of normal points above the threshold', number('--fpr'))
    .option('--set <key=value>', 'an option of the detector or threshold; may be repeated', collectSetting)
    .option('--channels <list>', 'columns to use, with commas (default: columns of numbers)', commaList)
    .optionsGroup('Alarms:');
  addAlarmFlags(command, 'that of the run, else the least');
  command
    .optionsGroup('Run:')
    .option('--device <name>', `of a run: auto, ${deviceNames.join(', ')} (default: auto)`)
    .option('--state <file>', 'keep what was learnt and how far was read, and go on from there')
    .option('--follow', 'wait for the file to grow, until stopped')
    .option('--every', 'write a line for every step, not only where an alarm begins or ends')
    .optionsGroup('Output:')
    .option('--quiet', 'no remarks and no summary; warnings and errors still show')
    .option('--debug <level>', '0 … 3: stacks of errors', integer('--debug', 0, 3))
    .helpOption('-h, --help', 'show this help');
  act(command, async (terminal, options: Options, first?: string, second?: string) => {
    const { device, detector, fpr, channels, state, follow, every } = options;
    const run = first !== undefined && (second !== undefined || (await isRun(first))) ? first : undefined;
    const path = run === undefined ? first : second;
    const file = path === undefined || path === '-' ? undefined : path;
    const { signal, listener: onEvent } = terminal;
    const alarms = alarmRuleOf(options);
    const threshold = options.threshold === undefined ? undefined : (readNumber(options.threshold) as string | number);
    try {
      await streamLines({
        ...(file === undefined ? { input: process.stdin } : { file }),
        ...{ run, device, detector, threshold, fpr, channels, state, follow, every, alarms, signal, onEvent },
        config: settingsOf(options.set ?? {}),
        async onRecord(record) {
          if (process.stdout.write(`${visibleJson(JSON.stringify(record))}\n`)) return;
          await once(process.stdout, 'drain', { signal }).catch(() => {});
        },
        onSummary: (summary) => terminal.note(summaryText(summary)),
      });
    } finally {
      if (file === undefined) process.stdin.destroy();
    }
  });
}

/** True for a folder, and for a file of a model. */
const isRun = async (path: string) =>
  path.endsWith('.onnx') || ((await stat(path).catch(() => undefined))?.isDirectory() ?? false);

/** Keys as in the library, `cool-down` as `coolDown`; numbers as numbers. */
const settingsOf = (given: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(given).map(([key, text]) => [
      key.replace(/-([a-z])/g, (_, c: string) => c.toUpperCase()),
      readNumber(text),
    ]),
  );

function summaryText(summary: StreamSummary): string {
  const { points, skipped, skippedLines, alarms, alarmLasts, timesBack, timesUnread, pointsPerSecond, delay, gaps } =
    summary;
  const more = skipped > skippedLines.length ? ', …' : '';
  const skippedText = skipped === 0 ? '' : ` (line${skipped === 1 ? '' : 's'} ${skippedLines.join(', ')}${more})`;
  const lines = [
    `${counted(points, 'point')}, ${skipped} skipped${skippedText}; ${counted(alarms, 'alarm')}${alarmLasts ? ', the last goes on' : ''}; ${Math.round(pointsPerSecond)} points a second`,
  ];
  if (delay) {
    const [begin, end] = [delay.begin, delay.end].map((seconds) => Number(seconds.toPrecision(4)));
    lines.push(
      `An alarm is told ${begin} s after its first step, its end ${end} s after its last (a step is ${durationText(1000 * delay.stepSeconds)}).`,
    );
  }
  if (gaps) lines.push(`${counted(gaps, 'gap')} longer than a window.`);
  if (timesBack > 0) lines.push(`${counted(timesBack, 'time')} went back.`);
  if (timesUnread > 0) lines.push(`${counted(timesUnread, 'time')} could not be read.`);
  return lines.join('\n');
}

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;
