/** Entry of a decode worker: one message is one file, the answer carries its pixels or its error. Node only. */
import { type MessagePort, parentPort } from 'node:worker_threads';
import { errorData } from '../../core/errors.ts';
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
    port.postMessage({ id, error: errorData(thrown) } satisfies Reply);
  }
});
