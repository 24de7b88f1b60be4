/** `oddity watch <run> [folder]`: scores images, frames of a camera or lines of a log as they come, until it is told to end. */
import type { Command } from 'commander';
import { visible } from '../../core/visible.ts';
import type { Device } from '../../runtime/runtime.ts';
import type { WatchSummary } from '../../watch/results.ts';
import type { WatchOptions } from '../../watch/watch.ts';
import { act } from '../act.ts';
import { addDevice, addSpeech, integer, number } from '../options.ts';
import type { SpeechOptions } from '../terminal.ts';
import { said } from '../words.ts';

interface Options
  extends SpeechOptions,
    Pick<WatchOptions, 'camera' | 'fps' | 'overlays' | 'anomalies' | 'webhook' | 'mqtt' | 'onAnomaly' | 'all'>,
    Pick<WatchOptions, 'earlier' | 'settle' | 'interval' | 'once'> {
  readonly device?: Device | 'auto';
  readonly out?: string;
  readonly giveUp?: number;
}

export function addWatch(command: Command): void {
  command
    .argument('<run>', 'a run folder or an exported model, of images, rows or series')
    .argument(
      '[folder]',
      'where images appear, folders inside it included; of a run of rows or series a CSV file that grows',
    )
    .optionsGroup('In place of a folder, through ffmpeg on the PATH:')
    .option('--camera <address>', 'rtsp://…, http://… and the like, /dev/video0, or a video')
    .option('--fps <n>', 'frames a second that are scored (default: 1)', number('--fps'))
    .optionsGroup('Results:')
    .option(
      '--out <folder>',
      'where results.ndjson, results.csv and overlays go (default: <folder>-watched, or camera-watched)',
    )
    .option('--overlays', 'write the map over each anomalous image')
    .optionsGroup('Anomalies go to:')
    .option('--anomalies <folder>', 'copy them there')
    .option('--webhook <url>', 'post them as JSON, signed with ODDITY_WEBHOOK_SECRET where that is set')
    .option('--mqtt <url>', 'publish them: mqtt://broker:1883/topic')
    .option(
      '--on-anomaly <command>',
      'run a program with the result as JSON on its standard input, without a shell; exit code 75 is tried again',
    )
    .option('--earlier', 'give those that are new to --out what was found before, too (default: from now on)')
    .option('--all', 'give them every result, not the anomalous ones alone')
    .option(
      '--give-up <seconds>',
      'after so long a result is given up and kept aside (default: 3600)',
      number('--give-up'),
    )
    .optionsGroup('Run:')
    .option('--once', 'score what is there and end')
    .option(
      '--settle <ms>',
      'a file is whole when it has not changed for so long (default: 500)',
      integer('--settle', 0),
    )
    .option('--interval <ms>', 'between two looks (default: 500)', integer('--interval', 10));
  addDevice(command);
  addSpeech(command);
  act(command, async (terminal, options: Options, run: string, folder?: string) => {
    const { json, quiet: _, debug: __, giveUp, ...given } = options;
    const out = options.out ?? `${folder?.replace(/[\\/]+$/, '') ?? 'camera'}-watched`;
    const { watch } = await import('../../watch/watch.ts');
    const { signal, listener: onEvent } = terminal;
    const summary = await watch({
      ...{ ...given, run, folder, out, signal, onEvent },
      ...(giveUp !== undefined && { giveUp: 1000 * giveUp }),
      secret: process.env.ODDITY_WEBHOOK_SECRET,
      onResult: ({ path, line, score, decision, error }) => {
        if (json) return;
        const what = error ? said(error) : `${score?.toPrecision(5) ?? '–'}  ${decision ?? '–'}`;
        terminal.note(`${what}  ${visible(path)}${line === undefined ? '' : `:${line}`}`);
      },
    });
    terminal.answer({ ...summary, out }, summaryText(summary, out));
  });
}

const summaryText = ({ scored, anomalous, failed, missed }: WatchSummary, out: string) =>
  `${scored} ${missed === undefined ? 'items' : `frames (${missed} missed)`}: ${anomalous} anomalous, ${failed} could not be scored. Results in ${out}`;
