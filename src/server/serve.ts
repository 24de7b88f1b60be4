/** A server for detectors: opens, listens, and ends without losing what it has begun. Node only. */
import { writeSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import pino, { type DestinationStream } from 'pino';
import { ConfigError, RuntimeUnavailable } from '../core/errors.ts';
import { option, say } from '../core/text.ts';
import { createApp } from './app.ts';
import { type Catalogue, openCatalogue } from './catalogue.ts';
import { checkAccess } from './guard.ts';
import { openMeter } from './meter.ts';
import { type ServeOptions, serveOptions } from './options.ts';
import { tokenOf } from './token.ts';

/** Milliseconds within which the head of a request must have come. */
const HEAD_MS = 10_000;
const MIB = 2 ** 20;

/** A server that listens. */
export interface DetectorServer {
  /** Such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Name and version of each detector. */
  readonly detectors: readonly { readonly name: string; readonly version: string }[];
  /** Takes no more requests, answers those it has begun, closes the detectors. */
  close(): Promise<void>;
}

/**
 * Serves detectors from runs, artefacts or folders of them; `name=path` names one. Without any it answers what needs none: the interface
 * of Azure's Anomaly Detector.
 * @throws ConfigError for options, an address that is taken and paths without detectors; DataError for damaged ones.
 * @example await using server = await serve(['runs/parts'], { port: 0 }); console.log(server.url);
 */
export async function serve(
  paths: readonly string[],
  given: ServeOptions = {},
  { log: destination }: { readonly log?: DestinationStream } = {},
): Promise<DetectorServer & AsyncDisposable> {
  const options = checked(given);
  const token = await tokenOf(options);
  const { host, port, names, origins, memory, queue, deadline, maxBody, maxItems, maxPixels, threads, device } =
    options;
  checkAccess({ host, token });
  const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination ?? standardError);
  let catalogue: Catalogue | undefined;
  let isReady = true;
  const meter = openMeter(() => catalogue);
  catalogue = await openCatalogue(paths, {
    ...{ memory: memory * MIB, mostWaiting: queue, device, threads, maxPixels },
    onBatch: meter.batch,
    onEvent(event) {
      if (event.type === 'warning') log.warn({ code: event.code }, event.message);
    },
  });
  const app = createApp({
    ...{ catalogue, meter, log, maxBody: maxBody * MIB, maxItems, deadline, isReady: () => isReady },
    guard: { host, names, origins, token },
  });
  const server = createAdaptorServer({
    fetch: app.fetch,
    serverOptions: { requestTimeout: 1000 * deadline, connectionsCheckingInterval: 500 },
  }) as Server;
  server.headersTimeout = Math.min(HEAD_MS, 1000 * deadline); // Node swaps the two where this one is the longer
  server.keepAliveTimeout = 2 * HEAD_MS;
  try {
    await listen(server, { host, port });
  } catch (error) {
    await catalogue.close();
    throw error;
  }
  const { address, family, port: taken } = server.address() as AddressInfo;
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`;
  const detectors = catalogue.entries().map(({ name, version }) => ({ name, version }));
  log.info({ url, detectors }, 'listening');

  const close = async () => {
    isReady = false;
    const ended = new Promise((resolve) => server.close(resolve));
    server.closeIdleConnections();
    // Connections that stay open without a request are not waited for; requests have their deadline.
    const timer = setInterval(() => server.closeIdleConnections(), 100);
    await ended;
    clearInterval(timer);
    await catalogue.close();
    log.info('ended');
  };
  return { url, detectors, close, [Symbol.asyncDispose]: close };
}

/** Lines to standard error. Where one cannot be written, as on a full disk, it is lost, and requests are answered all the same. */
const standardError: DestinationStream = {
  write(line) {
    try {
      writeSync(2, line);
    } catch {} // pino's own destination tries again for ever when it ends
  },
};

function checked(given: ServeOptions) {
  const parsed = serveOptions.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const [name = 'options'] = issue.path.map(String);
  throw new ConfigError('option-range', say`${option(name)} is not as it must be: ${issue.message}.`);
}

async function listen(server: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<void> {
  const listening = new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  await listening.catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE') {
      throw new ConfigError(
        'port-taken',
        say`Another program listens on port ${port} of ${host}. Give another one with ${option('port')}, or 0 for a free one.`,
      );
    }
    throw new RuntimeUnavailable('no-address', `${host}:${port} cannot be listened on: ${error.message}.`);
  });
}
