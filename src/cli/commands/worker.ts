/** `oddity worker --queue redis://…`: does jobs that other machines ask for, until it is told to end. */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { ConfigError } from '../../core/errors.ts';
import type { Job } from '../../jobs/job.ts';
import { act } from '../act.ts';
import { addSpeech, integer, queueHelp, queueOf } from '../options.ts';
import type { SpeechOptions } from '../terminal.ts';
import { said } from '../words.ts';

interface Options extends SpeechOptions {
  readonly queue?: string;
  readonly workers: number;
  readonly threads?: number;
  readonly patience: number;
}

export function addWorker(command: Command): void {
  command
    .option('--queue <url>', 'the Redis that keeps the jobs: redis://[:password@]host[:port][/database]')
    .option('--workers <n>', 'jobs that run at once (default: 1)', integer('--workers', 1, 256), 1)
    .option(
      '--threads <n>',
      'threads of each job that does not say how many (default: all cores, shared out)',
      integer('--threads', 1),
    )
    .option(
      '--patience <seconds>',
      'a worker that does not answer for so long loses its jobs to others (default: 30)',
      integer('--patience', 1, 3600),
      30,
    )
    .addHelpText('after', queueHelp);
  addSpeech(command);
  act(command, async (terminal, options: Options) => {
    const { queue: url } = queueOf(options);
    if (url === undefined) {
      throw new ConfigError('usage', 'oddity worker needs --queue, or ODDITY_QUEUE in the environment.');
    }
    const { workers, patience } = options;
    const { threads = Math.max(1, Math.floor(availableParallelism() / workers)) } = options;
    const { openRedisWorkers } = await import('../../jobs/redis/workers.ts');
    const ended = { done: 0, failed: 0, cancelled: 0, interrupted: 0 };
    const opened = await openRedisWorkers({
      ...{ url, workers, threads, patience: 1000 * patience, onConnection: terminal.listener },
      onJob(job) {
        terminal.note(lineOf(job));
        if (job.state !== 'waiting' && job.state !== 'running') ended[job.state]++;
      },
      // Bars of several jobs would draw over each other.
      onEvent: (_, event) => workers === 1 && terminal.listener(event),
    });
    terminal.note(`Waiting for jobs, ${workers} at once with ${threads} threads each. Ctrl-C hands back what runs.`);
    if (!terminal.signal.aborted) await once(terminal.signal, 'abort');
    await opened.close();
    const { done, failed, cancelled, interrupted } = ended;
    terminal.answer(ended, `Jobs: ${done} done, ${failed} failed, ${cancelled} cancelled, ${interrupted} interrupted.`);
  });
}

const lineOf = ({ id, kind, run, state, error }: Job): string =>
  `${state.padEnd(11)} ${kind} ${run ?? id}${error ? `: ${said(error)}` : ''}`;
