/**
 * Reads mutants of small files for some time, and ends with 1 at what must not be: an error that is no sentence of ours, a file
 * that takes seconds, or more memory than is allowed. Every mutant is a function of the seed, its target and its number.
 *
 *     npm run fuzz -- [--seconds 600] [--seed 1] [--target name]
 */

import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { judge, MOST_MS, openTargets } from './targets.ts';

/** Memory that the whole may take. */
const MOST_BYTES = 1.5 * 2 ** 30;

interface Work {
  readonly seconds: number;
  readonly seed: number;
  readonly only?: string;
}

/** Goes round the targets until the time is over; tells of every round, and of what went wrong. */
async function work({ seconds, seed, only }: Work): Promise<void> {
  const { targets, close } = await openTargets();
  const chosen = targets.filter(({ name }) => only === undefined || name === only);
  const end = performance.now() + 1000 * seconds;
  try {
    for (let number = 0; performance.now() < end; number++) {
      for (const target of chosen) {
        parentPort?.postMessage({ at: `${target.name}, seed ${seed}, mutant ${number}` });
        const fault = await judge(target, seed, number);
        if (fault) parentPort?.postMessage({ fault });
        if (performance.now() >= end) break;
      }
    }
  } finally {
    close();
  }
}

/** Starts the work in a thread, so that a reader that never ends is seen. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '600' },
      seed: { type: 'string', default: '1' },
      target: { type: 'string' },
    },
  });
  const data: Work = { seconds: Number(values.seconds), seed: Number(values.seed), only: values.target };
  if (!(data.seconds > 0) || !Number.isInteger(data.seed)) throw new Error('--seconds and --seed must be numbers');
  const faults: string[] = [];
  let [count, most, at, since] = [0, 0, 'the start', performance.now()];
  const worker = new Worker(new URL(import.meta.url), { workerData: data });
  const begin = performance.now();
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
    if (count > 0 && performance.now() - since > 6 * MOST_MS) {
      console.log(`FAULT: ${at} does not end`);
      process.exit(1);
    }
  }, 200);
  worker.on('message', (message: { at?: string; fault?: string }) => {
    if (message.at) [count, at, since] = [count + 1, message.at, performance.now()];
    if (message.fault) {
      faults.push(message.fault);
      console.log(`FAULT: ${message.fault}`);
    }
  });
  const code = await new Promise<number>((resolve) => {
    worker.on('error', (error) => {
      faults.push(String(error));
      console.log(`FAULT: ${at}: ${error.stack}`);
      resolve(1);
    });
    worker.on('exit', resolve);
  });
  clearInterval(watch);
  const seconds = ((performance.now() - begin) / 1000).toFixed(0);
  console.log(
    `${count} mutants in ${seconds} s, seed ${data.seed}: ${faults.length} faults, ${Math.round(most / 2 ** 20)} MiB at most`,
  );
  return code !== 0 || faults.length > 0 || most > MOST_BYTES ? 1 : 0;
}

if (isMainThread) process.exitCode = await main();
else await work(workerData as Work);
