/** The app that can say whether a detector works: opens, listens on this machine, and ends without losing what it has begun. Node only. */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { type Listener, silent } from '../core/events.ts';
import { libraryWords, type Words } from '../core/text.ts';
import { openRedisWorkers } from '../jobs/redis/workers.ts';
import { createApp } from '../server/app.ts';
import { openCatalogue } from '../server/catalogue.ts';
import { listenWith } from '../server/listen.ts';
import { openMeter } from '../server/meter.ts';
import { checkedOptions } from '../server/options.ts';
import { Access, refusalPage } from './access.ts';
import { type StudioOptions, studioOptions } from './options.ts';
import { openProjects } from './projects.ts';
import { studioRoutes } from './routes/index.ts';
import { resumeServing } from './ship/serving.ts';

const MIB = 2 ** 20;

/** A Studio that listens. */
export interface Studio extends AsyncDisposable {
  /** Without the key: for programs. */
  readonly url: string;
  /** To open in a browser, once: the key in it is good for one page, which keeps a cookie from then on. */
  readonly address: string;
  /** What programs send as `Authorization: Bearer`. */
  readonly token: string;
  close(): Promise<void>;
}

/**
 * Opens Studio on a folder of projects, which is made where there is none. Only this machine can ask it, and only with its token.
 * `onEvent` hears of the connection to a Redis that keeps the jobs.
 * @throws ConfigError for options and a port that is taken; RuntimeUnavailable without the package libsql, and for a Redis that does not
 * answer.
 * @example await using studio = await openStudio({ folder: 'studio', port: 0 }); console.log(studio.address);
 */
export async function openStudio(
  given: StudioOptions = {},
  { words = libraryWords, onEvent = silent }: { readonly words?: Words; readonly onEvent?: Listener } = {},
): Promise<Studio> {
  const { folder, port, workers, queue, threads, maxUpload } = checkedOptions(studioOptions, given);
  const root = resolve(folder);
  await mkdir(root, { recursive: true });
  const others = { onJob() {}, onEvent() {}, onConnection: onEvent };
  const working = queue === undefined ? undefined : await openRedisWorkers({ ...others, url: queue, workers });
  const log = pino({ level: 'silent' });
  const meter = openMeter(() => catalogue);
  const catalogue = await openCatalogue([], {
    ...{ memory: 2048 * MIB, mostWaiting: 8192, device: 'auto', threads, maxPixels: 100_000_000 },
    onBatch: meter.batch,
  });
  const token = randomBytes(24).toString('base64url');
  const access = new Access(token);
  const projects = await openProjects(root, { workers, queue });
  let isReady = true;
  const app = createApp({
    ...{ catalogue, meter, log, maxBody: 64 * MIB, maxItems: 8192, deadline: 120, isReady: () => isReady },
    guard: { host: '127.0.0.1', names: [], origins: [], token, tokenIn: access.tokenIn, open: access.open },
    refusalPage,
    routes: studioRoutes({
      ...{ projects, catalogue, access, words, maxUpload: maxUpload * MIB },
      page: fileURLToPath(new URL('../studio-page/', import.meta.url)),
    }),
  });
  const server = await listenWith(app, { host: '127.0.0.1', port, deadline: 600 }).catch(async (error) => {
    await working?.close();
    await projects.close();
    await catalogue.close();
    throw error;
  });
  // What was at work when Studio ended goes on: jobs, watches, served detectors. A project that cannot be opened says so when it is asked for.
  for (const name of await projects.list()) {
    await projects.open(name).then(
      (project) => resumeServing(catalogue, project),
      () => {},
    );
  }
  const close = async () => {
    isReady = false;
    projects.end(); // streams of changes would keep their requests open
    await server.close();
    await working?.close();
    await projects.close();
    await catalogue.close();
  };
  const address = `${server.url}/open?key=${access.key}`;
  return { url: server.url, address, token, close, [Symbol.asyncDispose]: close };
}
