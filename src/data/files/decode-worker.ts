/** Entry of a decode worker: one message is one file, the answer carries its pixels or its error. Node only. */
import { type MessagePort, parentPort } from 'node:worker_threads';
import { OddityError } from '../../core/errors.ts';
import { type DecodeJob, decodeFile } from './decode.ts';
import type { Reply } from './decoder.ts';

const port = parentPort as MessagePort;

port.on('message', async (message: { id: number; job: DecodeJob } | 'end') => {
  if (message === 'end') return port.close();
  const { id, job } = message;
  try {
    const value = await decodeFile(job);
    port.postMessage({ id, value } satisfies Reply, [value.data.buffer as ArrayBuffer]);
  } catch (thrown) {
    const error =
      thrown instanceof OddityError
        ? { name: thrown.name, code: thrown.code, message: thrown.message }
        : { name: 'InternalError', code: 'internal', message: (thrown as Error).message };
    port.postMessage({ id, error } satisfies Reply);
  }
});
