/**
 * Runs a program of the user's for each result, which it reads from its standard input as JSON, with the path of the file. No shell
 * stands between, and nothing of a result becomes a word of the command: a file may have any name. The program says by its exit
 * code what became of it: 0 it is done, 75 (`EX_TEMPFAIL` of sysexits.h) try again, any other it will never be.
 */
import { spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { ConfigError } from '../../core/errors.ts';
import { option, say } from '../../core/text.ts';
import { Refused, type Sink } from './sink.ts';

/** Milliseconds that a program may take. */
const RUN_MS = 60_000;
const TRY_AGAIN = 75;

/** A command as words: parted by spaces, with quotes around those that have some. Undefined for a quote without an end. */
export function wordsOf(command: string): string[] | undefined {
  const words: string[] = [];
  const pattern = /\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+))(?=\s|$)/y;
  const text = command.trim();
  while (pattern.lastIndex < text.length) {
    const found = pattern.exec(text);
    if (!found) return undefined;
    words.push(found[1] ?? found[2] ?? found[3]);
  }
  return words;
}

/** Throws ConfigError `hook` for what is no command, and for a program that is not there. */
export async function commandSink(command: string): Promise<Sink> {
  const [program, ...words] = wordsOf(command) ?? [];
  if (!program) {
    throw new ConfigError(
      'hook',
      say`${option('onAnomaly')} must be a program and its arguments, with quotes around what has spaces, got ${JSON.stringify(command)}.`,
    );
  }
  if (!(await isThere(program))) {
    throw new ConfigError(
      'hook',
      say`${option('onAnomaly')} must name a program that can be run, but ${program} is not there or may not be. Give its path.`,
    );
  }
  return {
    name: 'command',
    deliver: ({ record, file }, signal) => run(program, words, JSON.stringify({ ...record, file }), signal),
  };
}

async function isThere(program: string): Promise<boolean> {
  const folders = /[\\/]/.test(program) ? [''] : (process.env.PATH ?? '').split(delimiter);
  const places = folders.flatMap((folder) => [
    join(folder, program),
    ...(process.platform === 'win32' ? [join(folder, `${program}.exe`)] : []),
  ]);
  const found = await Promise.all(
    places.map((place) =>
      access(place, constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}

function run(program: string, words: readonly string[], input: string, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = withResolvers();
  const ending = AbortSignal.any([signal, AbortSignal.timeout(RUN_MS)]);
  const child = spawn(program, words, { stdio: ['pipe', 'ignore', 'pipe'], windowsHide: true, signal: ending });
  let said = '';
  child.stderr.on('data', (part: Buffer) => {
    if (said.length < 4096) said += part.toString();
  });
  child.stdin.on('error', () => {}); // it need not read
  child.stdin.end(input);
  child.once('error', (error) => {
    reject(ending.aborted ? new Error(`${program} took more than ${RUN_MS / 1000} s`) : error);
  });
  child.once('close', (code, killer) => {
    if (code === 0) return resolve();
    const line = said.trim().split('\n').at(-1)?.slice(0, 160);
    const how = `${program} ended with ${code === null ? `the signal ${killer}` : `code ${code}`}${line ? `: ${line}` : ''}`;
    reject(code === null || code === TRY_AGAIN ? new Error(how) : new Refused(how));
  });
  return promise;
}

function withResolvers() {
  let [resolve, reject]: [() => void, (error: Error) => void] = [() => {}, () => {}];
  const promise = new Promise<void>((yes, no) => {
    [resolve, reject] = [yes, no];
  });
  return { promise, resolve, reject };
}
