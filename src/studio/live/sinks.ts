/** Tries a sink with a made-up result, before a watch relies on it. */
import { join } from 'node:path';
import { writeAtomic } from '../../runs/files.ts';
import { Problem } from '../../server/problem.ts';
import { folderSink } from '../../watch/sinks/folder.ts';
import { mqttSink } from '../../watch/sinks/mqtt.ts';
import { webhookSink } from '../../watch/sinks/webhook.ts';
import type { SinkSetup } from './setup.ts';

/** Milliseconds that a try may take. */
const LIMIT = 10_000;

/** Sends one result to each sink of the setup. Throws Problem 502 with what a sink said. `work` is a folder for the file that is sent. */
export async function trySinks(
  { anomalies, webhook, secret, mqtt }: SinkSetup,
  work: string,
): Promise<readonly string[]> {
  const path = 'studio-test.txt';
  const file = join(work, path);
  await writeAtomic(file, new TextEncoder().encode('A test of oddity Studio.\n'));
  const time = new Date().toISOString();
  const record = {
    ...{ id: `${path}@test`, path, stamp: 'test', time },
    score: 1,
    threshold: 0.5,
    isAnomalous: true,
    decision: 'test',
  };
  const sinks = [
    ...(anomalies === undefined ? [] : [folderSink(anomalies)]),
    ...(webhook === undefined ? [] : [webhookSink(webhook, secret)]),
    ...(mqtt === undefined ? [] : [await mqttSink(mqtt)]),
  ];
  try {
    for (const sink of sinks) {
      await sink.deliver({ record, file }, AbortSignal.timeout(LIMIT)).catch((error: Error) => {
        const { cause } = error; // "fetch failed" tells nothing
        const why = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : error.message;
        throw new Problem(502, 'sink-refused', `The ${sink.name} did not take the test: ${why}`);
      });
    }
  } finally {
    await Promise.all(sinks.map((sink) => sink.close?.()));
  }
  return sinks.map(({ name }) => name);
}
