/** `oddity test <run>`: score the test part of a run's data again, and the same report. */
import type { Command } from 'commander';
import type { Device } from '../../runtime/runtime.ts';
import { act } from '../act.ts';
import { engine } from '../engine.ts';
import { addDevice, addSpeech } from '../options.ts';
import { reportText } from '../report.ts';

interface Options {
  readonly device?: Device | 'auto';
  readonly data?: string;
  readonly dataRoot?: string;
}

export function addTest(command: Command): void {
  command.argument('<run>', 'a run folder');
  addDevice(command)
    .option('--data <path>', 'the folder or CSV file of the run, if it has moved since')
    .option('--data-root <folder>', 'where data sets lie (default: that of the training)');
  addSpeech(command);
  act(command, async (terminal, options: Options, run: string) => {
    const { device, data, dataRoot } = options;
    const { test } = await engine();
    const report = await test({ run, device, data, dataRoot, onEvent: terminal.listener, signal: terminal.signal });
    terminal.answer(report, reportText(report));
  });
}
