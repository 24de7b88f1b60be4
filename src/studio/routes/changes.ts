/** What changed, as server-sent events: one stream for an open page, with what it missed since the id that it last heard. */
import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { Change } from '../store/changes.ts';
import type { ProjectEnv, StudioContext } from './index.ts';

/** Milliseconds between signs of life, so that a lost connection is noticed. */
const BEAT = 15_000;

export function changeRoutes({ projects }: StudioContext): Hono<ProjectEnv> {
  const app = new Hono<ProjectEnv>();
  app.get('/', (c) => {
    const { changes } = c.get('project');
    const heard = Number(c.req.header('Last-Event-ID') ?? c.req.query('since') ?? Number.NaN);
    return streamSSE(c, async (stream) => {
      const waiting: Change[] = [];
      let wake = () => {};
      const stop = changes.listen((change) => {
        waiting.push(change);
        wake();
      });
      const end = () => {
        stop();
        wake();
      };
      stream.onAbort(end);
      projects.ended.addEventListener('abort', end);
      const send = ({ id, topic, data }: Change) =>
        stream.writeSSE({ event: topic, data: JSON.stringify(data), ...(topic !== 'progress' && { id: String(id) }) });
      try {
        const missed = Number.isNaN(heard) ? [] : changes.since(heard);
        // Too long away: everything is read anew.
        if (!missed) await stream.writeSSE({ event: 'project', data: 'null' });
        for (const change of missed ?? []) await send(change);
        while (!stream.aborted && !projects.ended.aborted) {
          const next = waiting.shift();
          if (next) {
            await send(next);
            continue;
          }
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, BEAT);
            wake = () => {
              clearTimeout(timer);
              resolve();
            };
          });
          if (waiting.length === 0 && !stream.aborted) await stream.writeSSE({ event: 'beat', data: '' });
        }
      } finally {
        stop();
        projects.ended.removeEventListener('abort', end);
      }
    });
  });
  return app;
}
