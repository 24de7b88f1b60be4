/** Ties a command to its work: a terminal of its own, and the exit code. */
import type { Command } from 'commander';
import { openTerminal, type SpeechOptions, type Terminal } from './terminal.ts';

/** Calls `work` with a terminal, the command's options and its arguments; a number that it returns is the exit code. */
export function act<O extends object>(
  command: Command,
  // biome-ignore lint/suspicious/noConfusingVoidType: most commands return nothing, which means success.
  work: (terminal: Terminal, options: O, ...args: never[]) => Promise<number | void>,
): void {
  command.action(async () => {
    const options = command.opts<O & SpeechOptions>();
    const terminal = openTerminal(options);
    try {
      process.exitCode = (await work(terminal, options, ...(command.processedArgs as never[]))) ?? 0;
    } finally {
      terminal.close();
    }
  });
}
