/** How every failure becomes one sentence and an exit code. */
import { visibleJson } from '../core/visible.ts';
import { errorText, ourError } from './terminal.ts';
import { errorJson, exitCodeOf } from './words.ts';

/** Writes an error, an object on stdout under `--json`, the sentence on stderr otherwise; returns its exit code. */
export function reportError(thrown: unknown, argv: readonly string[]): number {
  const error = ourError(thrown);
  const at = argv.findIndex((word) => word === '--debug' || word.startsWith('--debug='));
  const debug = at < 0 ? 0 : Number(argv[at].split('=')[1] ?? argv[at + 1]) || 0;
  if (argv.includes('--json')) {
    process.stdout.write(`${visibleJson(JSON.stringify(errorJson(error), null, 2))}\n`);
    if (debug > 0) process.stderr.write(`${errorText(error, debug)}\n`);
  } else {
    process.stderr.write(`${errorText(error, debug)}\n`);
  }
  return exitCodeOf(error);
}
