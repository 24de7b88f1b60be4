/** The routes of a server, and what every request goes through: an id, a check of who asks, a limit, a log line, counters. */
import { randomUUID } from 'node:crypto';
import { type Context, Hono } from 'hono';
import type { Logger } from 'pino';
import type { Catalogue } from './catalogue.ts';
import { detectorRoutes } from './detectors/routes.ts';
import { type GuardOptions, guard } from './guard.ts';
import { inferenceProtocol } from './inference-protocol/routes.ts';
import type { Meter } from './meter.ts';
import { openapi } from './openapi.ts';
import { Problem, problemOf } from './problem.ts';
import { bodyBytes } from './request-body.ts';
import { univariate } from './univariate/routes.ts';

/** What a server is made of. */
export interface AppParts {
  readonly catalogue: Catalogue;
  readonly meter: Meter;
  readonly log: Logger;
  readonly guard: GuardOptions;
  /** Bytes of a body. */
  readonly maxBody: number;
  readonly maxItems: number;
  /** Seconds. */
  readonly deadline: number;
  isReady(): boolean;
  /** Further routes, behind the same checks. */
  readonly routes?: Hono;
  /** A page in HTML for a problem that a person meets in the browser's address bar; undefined for one that has none. */
  refusalPage?(problem: Problem): string | undefined;
}

type Env = { Variables: { id: string } };

/** An id of a client's own, where it is one that a log can hold. */
const idOf = (given: string | undefined) => (given && /^[\w.:-]{1,64}$/.test(given) ? given : randomUUID());

export function createApp({
  catalogue,
  meter,
  log,
  guard: access,
  maxBody,
  maxItems,
  deadline,
  isReady,
  routes,
  refusalPage,
}: AppParts): Hono<Env> {
  const app = new Hono<Env>();
  const bodyOf = (c: Context, aligned?: number) => bodyBytes(c, maxBody, aligned);
  const context = { catalogue, isReady, within: 1000 * deadline, bodyOf };

  app.use(async (c, next) => {
    const begin = performance.now();
    const id = idOf(c.req.header('X-Request-Id'));
    c.set('id', id);
    c.header('X-Request-Id', id); // before the answer, which would be made anew otherwise
    await next();
    const seconds = (performance.now() - begin) / 1000;
    const route = routeOf(c.req.path);
    meter.answered(route, c.res.status, seconds);
    log.info(
      { id, method: c.req.method, route, status: c.res.status, ms: Number((1000 * seconds).toFixed(2)) },
      'request',
    );
  });
  app.use(guard(access));

  app.get('/metrics', async (c) => c.body(await meter.text(), 200, { 'Content-Type': meter.contentType }));
  let description: ReturnType<typeof openapi> | undefined;
  app.get('/openapi.json', (c) => {
    description ??= openapi(); // takes a tenth of a second
    return c.json(description);
  });
  app.route('/detectors', detectorRoutes(context, { mostItems: maxItems, onScore: meter.pValue }));
  app.route('/v2', inferenceProtocol(context));
  app.route('/anomalydetector', univariate(context));

  if (routes) app.route('/', routes);

  app.notFound((c) =>
    answer(
      c,
      new Problem(404, 'unknown-address', `There is nothing at ${c.req.path}. /openapi.json lists what there is.`),
    ),
  );
  app.onError((error, c) => {
    const { problem, isOurs } = problemOf(error);
    if (isOurs) log.error({ id: c.get('id'), code: problem.code, err: error }, 'failed');
    const page = c.req.header('Accept')?.includes('text/html') ? refusalPage?.(problem) : undefined;
    return page === undefined ? answer(c, problem) : c.html(page, problem.status as 400);
  });
  return app;
}

/** A problem as the interface has it: the protocol's own form below /v2, that of Azure below /anomalydetector. */
function answer(c: Context<Env>, { status, code, message, headers }: Problem): Response {
  const { path } = c.req;
  const body = path.startsWith('/v2')
    ? { error: message }
    : path.startsWith('/anomalydetector/')
      ? { code, message }
      : { error: { code, message, requestId: c.get('id') } };
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
  return c.json(body, status as 400);
}

/** An address without names, so that counters stay few and a log says nothing personal. */
const routeOf = (path: string): string =>
  /^\/(v2|detectors|metrics|openapi\.json|anomalydetector)(\/|$)/.test(path)
    ? path
        .replace(/^\/detectors\/[^/]+/, '/detectors/{name}')
        .replace(/^(\/v2\/(?:repository\/)?models)\/[^/]+/, '$1/{name}')
        .replace(/\/versions\/[^/]+/, '/versions/{version}')
        .replace(/^\/anomalydetector\/[^/]+/, '/anomalydetector/{version}')
        .replace(/(\/(?:score|infer|ready|load|unload|live|detect|multivariate))\/.*$/, '$1')
        .slice(0, 80)
    : '/other';
