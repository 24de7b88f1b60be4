/** `oddity predict <run> <images...>`: score image files with a trained model. */
import { rename, rm, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { Device } from '../../runtime/runtime.ts';
import { act } from '../act.ts';
import { csv } from '../csv.ts';
import { engine } from '../engine.ts';
import { addDevice, addSpeech } from '../options.ts';
import { table } from '../render.ts';
import type { SpeechOptions } from '../terminal.ts';

interface Options extends SpeechOptions {
  readonly device?: Device | 'auto';
  readonly csv?: string;
  readonly maps?: string;
}

/** The exit code when some images could not be scored. */
const SOME_FAILED = 6;

export function addPredict(program: Command): void {
  const command = program
    .command('predict')
    .description(`score image files (exit code ${SOME_FAILED} when some could not be read)`)
    .argument('<run>', 'a run folder or an exported model')
    .argument('<images...>', 'image files or folders')
    .option('--csv <file>', 'write the predictions as CSV too')
    .option('--maps <folder>', 'write the anomaly maps as PNG');
  addDevice(command);
  addSpeech(command);
  act(command, async (terminal, options: Options, run: string, images: string[]) => {
    const { device, maps } = options;
    const { predict } = await engine();
    const result = await predict({ run, images, device, maps, onEvent: terminal.listener, signal: terminal.signal });
    const { predictions, failed } = result;
    if (options.csv) {
      const rows = predictions.map((p) => [p.path, String(p.score), String(p.threshold), p.isAnomalous ? '1' : '0']);
      const unfinished = `${options.csv}.part`;
      try {
        await writeFile(unfinished, csv(['path', 'score', 'threshold', 'isAnomalous'], rows));
        await rename(unfinished, options.csv);
      } finally {
        await rm(unfinished, { force: true });
      }
    }
    const rows = predictions.map((p) => [
      p.score.toPrecision(5),
      p.threshold.toPrecision(5),
      p.isAnomalous ? 'anomalous' : 'normal',
      p.path,
    ]);
    const parts = predictions.length > 0 ? [table(['score', 'threshold', 'decision', 'image'], rows, [0, 1])] : [];
    if (failed.length > 0) {
      parts.push(
        [`${failed.length} of ${images.length} could not be scored:`, ...failed.map((f) => f.message)].join('\n'),
      );
    }
    terminal.answer(result, parts.join('\n\n'));
    return failed.length > 0 ? SOME_FAILED : 0;
  });
}
