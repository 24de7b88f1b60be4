/** `oddity serve <paths...>`: answers requests over HTTP until it is told to end. */
import { once } from 'node:events';
import type { Command } from 'commander';
import { propertiesOf } from '../../core/schema.ts';
import { type ServeOptions, serveOptions } from '../../server/options.ts';
import { act } from '../act.ts';
import { commaList, integer, number } from '../options.ts';
import type { SpeechOptions } from '../terminal.ts';

type Options = SpeechOptions & ServeOptions;

/** How the text of a flag becomes the value of an option. */
const readers: Readonly<Record<string, (flag: string) => (text: string) => unknown>> = {
  integer: (flag) => integer(flag, 0),
  number,
  array: () => commaList,
  string: () => (text) => text,
};

export function addServe(command: Command): void {
  command.argument('[paths...]', 'runs, exported models, or folders of them; name=path gives a name');
  for (const [key, { type = 'string', description, default: preset }] of Object.entries(propertiesOf(serveOptions))) {
    const flag = `--${key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;
    const shown = preset === undefined || Array.isArray(preset) ? '' : ` (default: ${preset})`;
    const what = key.endsWith('File') ? '<file>' : type === 'array' ? '<list>' : type === 'string' ? '<text>' : '<n>';
    command.option(`${flag} ${what}`, `${description}${shown}`, (readers[String(type)] ?? readers.string)(flag));
  }
  command.addHelpText('after', '\nThe token may also stand in the environment, as ODDITY_TOKEN.');
  command.option('--quiet', 'no log').option('--debug <level>', '0 … 3: stacks of errors', integer('--debug', 0, 3));
  command.option('--json', 'say where it listens as JSON').helpOption('-h, --help', 'show this help');
  act(command, async (terminal, { json: _, quiet, debug: __, ...options }: Options, paths: string[]) => {
    const { serve } = await import('../../server/serve.ts');
    // Without the flags that say it; an empty text is none.
    const { token = options.tokenFile === undefined ? process.env.ODDITY_TOKEN || undefined : undefined } = options;
    const server = await serve(
      paths,
      { ...options, ...(token !== undefined && { token }) },
      quiet ? { log: { write() {} } } : {},
    );
    const { url, detectors } = server;
    const names = detectors.map(
      ({ name, version }) => `  ${url}/detectors/${name}/score${version === '1' ? '' : `?version=${version}`}`,
    );
    terminal.answer(
      { url, detectors },
      `Listening on ${url}. Ctrl-C ends it once its requests are answered.\n${names.join('\n') || `  ${url}/anomalydetector/v1.1/timeseries/entire/detect`}`,
    );
    if (!terminal.signal.aborted) await once(terminal.signal, 'abort');
    await server.close();
  });
}
