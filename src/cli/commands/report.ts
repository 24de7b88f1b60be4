/** `oddity report <run>`: make the page of a finished run again. */
import type { Command } from 'commander';
import type { Device } from '../../runtime/runtime.ts';
import { act } from '../act.ts';
import { engine } from '../engine.ts';
import { addDevice, addSpeech } from '../options.ts';

interface Options {
  readonly device?: Device | 'auto';
  readonly dataRoot?: string;
  readonly pictures: boolean;
}

export function addReport(command: Command): void {
  command
    .argument('<run>', 'a run folder')
    .option('--no-pictures', 'leave out the pictures of items: needs neither the data nor a device');
  addDevice(command).option('--data-root <folder>', 'where data sets lie (default: as in training)');
  addSpeech(command);
  act(command, async (terminal, options: Options, run: string) => {
    const { makeReport } = await engine();
    const made = await makeReport({ run, ...options, onEvent: terminal.listener, signal: terminal.signal });
    terminal.answer(made, made.report);
  });
}
