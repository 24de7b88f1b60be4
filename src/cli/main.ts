#!/usr/bin/env node
/** Entry of the command `oddity`. */
import { runCli } from './program.ts';

// A reader that has seen enough (`oddity models | head -1`) is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 74));

process.exitCode = await runCli(process.argv.slice(2));
