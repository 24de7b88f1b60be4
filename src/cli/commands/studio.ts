/** `oddity studio [folder]`: opens the app on this machine until it is told to end. */
import { once } from 'node:events';
import type { Command } from 'commander';
import { propertiesOf } from '../../core/schema.ts';
import { type StudioOptions, studioOptions } from '../../studio/options.ts';
import { act } from '../act.ts';
import { integer, number, queueHelp, queueOf } from '../options.ts';
import type { SpeechOptions } from '../terminal.ts';
import { commandWords } from '../words.ts';

type Options = SpeechOptions & Omit<StudioOptions, 'folder'>;

export function addStudio(command: Command): void {
  const { folder, ...options } = propertiesOf(studioOptions);
  command.argument('[folder]', `${folder.description} (default: ${folder.default})`);
  for (const [key, { type, description, default: preset }] of Object.entries(options)) {
    const flag = `--${key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;
    const shown = preset === undefined ? '' : ` (default: ${preset})`;
    if (type === 'string') command.option(`${flag} <url>`, `${description}${shown}`);
    else command.option(`${flag} <n>`, `${description}${shown}`, type === 'integer' ? integer(flag, 0) : number(flag));
  }
  command.addHelpText('after', queueHelp);
  command.option('--debug <level>', '0 … 3: stacks of errors', integer('--debug', 0, 3));
  command.option('--json', 'say where it listens as JSON').helpOption('-h, --help', 'show this help');
  act(command, async (terminal, { json: _, debug: __, ...options }: Options, folder?: string) => {
    const { openStudio } = await import('../../studio/studio.ts');
    const given = { ...options, ...queueOf(options), ...(folder !== undefined && { folder }) };
    const studio = await openStudio(given, { words: commandWords, onEvent: terminal.listener });
    const { url, address, token } = studio;
    terminal.answer(
      { url, address, token },
      `Studio is open. Go to\n  ${address}\nThe address is good for one browser of this machine. Ctrl-C ends Studio; jobs that run go on when it is opened again.`,
    );
    if (!terminal.signal.aborted) await once(terminal.signal, 'abort');
    await studio.close();
  });
}
