/** `oddity update <run>`: the detector of a run with more, or fewer, normal images. */
import type { Command } from 'commander';
import { findImages } from '../../data/index.ts';
import type { Device } from '../../runtime/runtime.ts';
import { act } from '../act.ts';
import { engine } from '../engine.ts';
import { addDevice, addSpeech } from '../options.ts';
import { reportText } from '../report.ts';

interface Options {
  readonly add?: string[];
  readonly remove?: string[];
  readonly feedback?: boolean;
  readonly out: string;
  readonly overwrite?: boolean;
  readonly device?: Device | 'auto';
  readonly dataRoot?: string;
}

export function addUpdate(command: Command): void {
  command
    .argument('<run>', 'a run folder')
    .option('--add <images...>', 'normal images to add: files, folders, or patterns in quotes')
    .option('--remove <ids...>', 'training images to take out, as reports name them, for example train/good/7.png')
    .option(
      '--feedback',
      'add the images that people called normal, and take out what they called anomalous (oddity feedback)',
    )
    .requiredOption('--out <folder>', 'the folder of the new run')
    .option('--overwrite', 'replace the run in --out');
  addDevice(command).option('--data-root <folder>', 'where data sets lie (default: that of the training)');
  addSpeech(command);
  act(command, async (terminal, { add = [], ...options }: Options, run: string) => {
    const { update } = await engine();
    const { listener: onEvent, signal } = terminal;
    const { remove, feedback, out, overwrite, device, dataRoot } = options;
    const found = add.length > 0 ? await findImages(add, onEvent) : [];
    const changes = { add: found, remove, feedback };
    const report = await update({ run, ...changes, out, overwrite, device, dataRoot, onEvent, signal });
    terminal.answer(report, reportText(report));
  });
}
