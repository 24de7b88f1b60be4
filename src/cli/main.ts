#!/usr/bin/env node
/** Entry of the command `oddity`. */
import { runCli } from './program.ts';

// A reader that has seen enough (`oddity models | head -1`) is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 74));
// Progress and logs that cannot be written, as on a full disk, are lost; the work goes on.
process.stderr.on('error', () => {});

const code = await runCli(process.argv.slice(2));
process.exitCode = code;

/** How long a cancelled command waits for native calls that cannot be stopped, in milliseconds. */
const GRACE_MS = 300;

// Everything is written and closed; a call that goes on in a worker has nobody who hears of it.
if (code === 130) {
  const leave = () => {
    process.removeAllListeners('SIGINT');
    process.kill(process.pid, 'SIGINT');
  };
  setTimeout(leave, GRACE_MS).unref();
}
