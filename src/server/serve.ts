/** A server for detectors: opens, listens, and ends without losing what it has begun. Node only. */
import { writeSync } from 'node:fs';
import pino, { type DestinationStream } from 'pino';
import { createApp } from './app.ts';
import { type Catalogue, openCatalogue } from './catalogue.ts';
import { checkAccess } from './guard.ts';
import { listenWith } from './listen.ts';
import { openMeter } from './meter.ts';
import { checkedOptions, type ServeOptions, serveOptions } from './options.ts';
import { tokenOf } from './token.ts';

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
  const options = checkedOptions(serveOptions, given);
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
  const server = await listenWith(app, { host, port, deadline }).catch(async (error) => {
    await catalogue.close();
    throw error;
  });
  const { url } = server;
  const detectors = catalogue.entries().map(({ name, version }) => ({ name, version }));
  log.info({ url, detectors }, 'listening');

  const close = async () => {
    isReady = false;
    await server.close();
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
