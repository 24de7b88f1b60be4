/** Ship: files, card and snippets of a run, and serving it from here. */
import { Hono } from 'hono';
import { startServing, stopServing } from '../ship/serving.ts';
import { type ShipFacts, shipFacts, shipFile } from '../ship/ship.ts';
import type { ProjectEnv, StudioContext } from './index.ts';

/** What the page shows; the token is what programs send. */
export type ShipAnswer = ShipFacts & { readonly token: string };

export function shipRoutes({ catalogue, access, words }: StudioContext): Hono<ProjectEnv> {
  const app = new Hono<ProjectEnv>();
  app.get('/runs/:run/ship', async (c) =>
    c.json({
      ...(await shipFacts(c.get('project'), c.req.param('run'), { url: new URL(c.req.url).origin, words })),
      token: access.token,
    } satisfies ShipAnswer),
  );
  app.get('/runs/:run/files/:name', async (c) => {
    const name = c.req.param('name');
    const { bytes, type } = await shipFile(c.get('project'), c.req.param('run'), name);
    const isShown = name === 'report.html' && c.req.query('download') === undefined;
    c.header('Content-Disposition', `${isShown ? 'inline' : 'attachment'}; filename="${name}"`);
    // A report may come from elsewhere: it is shown, but nothing in it may act as this page.
    c.header('Content-Security-Policy', "sandbox allow-scripts; default-src 'self' 'unsafe-inline' data:");
    c.header('X-Content-Type-Options', 'nosniff');
    return c.body(bytes, 200, { 'Content-Type': type });
  });
  app.post('/runs/:run/serve', async (c) =>
    c.json({ name: await startServing(catalogue, c.get('project'), c.req.param('run')), isServed: true }, 201),
  );
  app.delete('/runs/:run/serve', async (c) => {
    await stopServing(catalogue, c.get('project'), c.req.param('run'));
    return c.body(null, 204);
  });
  return app;
}
