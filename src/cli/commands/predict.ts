/** `oddity predict <run> <images...>`: score image files with a trained model. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { DataError } from '../../core/errors.ts';
import { writeAtomic } from '../../engine/files.ts';
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
    const files = await filesOf(images);
    const result = await predict({
      run,
      images: files,
      device,
      maps,
      onEvent: terminal.listener,
      signal: terminal.signal,
    });
    const { predictions, failed } = result;
    if (options.csv) {
      const rows = predictions.map((p) => [
        p.path,
        String(p.score),
        p.threshold === null ? '' : String(p.threshold),
        decision(p, '1', '0', ''),
      ]);
      await writeAtomic(options.csv, csv(['path', 'score', 'threshold', 'isAnomalous'], rows));
    }
    const rows = predictions.map((p) => [
      p.score.toPrecision(5),
      p.threshold?.toPrecision(5) ?? '–',
      decision(p, 'anomalous', 'normal', '–'),
      p.path,
    ]);
    const parts = predictions.length > 0 ? [table(['score', 'threshold', 'decision', 'image'], rows, [0, 1])] : [];
    if (failed.length > 0) {
      parts.push(
        [`${failed.length} of ${files.length} could not be scored:`, ...failed.map((f) => f.message)].join('\n'),
      );
    }
    terminal.answer(result, parts.join('\n\n'));
    return failed.length > 0 ? SOME_FAILED : 0;
  });
}

const decision = <T>({ isAnomalous }: { isAnomalous: boolean | null }, yes: T, no: T, unknown: T): T =>
  isAnomalous === null ? unknown : isAnomalous ? yes : no;

const imageNames = /\.(png|jpe?g|webp|avif|tiff?|gif)$/i;

/** Folders as the images in them, by name; whatever is no folder as it is. */
async function filesOf(paths: readonly string[]): Promise<string[]> {
  const lists = await Promise.all(
    paths.map(async (path) => {
      const found = await stat(path).catch(() => undefined);
      if (!found?.isDirectory()) return [path];
      const images = (await readdir(path)).filter((name) => imageNames.test(name)).sort();
      if (images.length > 0) return images.map((name) => join(path, name));
      throw new DataError('no-images', `${path} must hold images (PNG, JPEG, WebP, AVIF, TIFF, GIF), and holds none.`);
    }),
  );
  return lists.flat();
}
