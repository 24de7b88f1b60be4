/** Live: watches, alarms, sinks, and the camera of the browser. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Hono } from 'hono';
import * as z from 'zod';
import { isImage } from '../../core/item-shape.ts';
import { overlayOf } from '../../report/overlay-image.ts';
import { makeFolder, writeAtomic } from '../../runs/files.ts';
import { Problem } from '../../server/problem.ts';
import { bodyBytes } from '../../server/request-body.ts';
import { commandOf } from '../command.ts';
import { reachOf, shownScale } from '../inspect/shown-scale.ts';
import { type Alarm, type AlarmPage, addAlarm, answerAlarm, findAlarm, listAlarms } from '../live/alarms.ts';
import { sinkSetup, watchSetup } from '../live/setup.ts';
import { trySinks } from '../live/sinks.ts';
import type { LiveTrace } from '../live/trace.ts';
import { commandOfWatch, type WatchFacts } from '../live/watches.ts';
import { type Project, projectFiles } from '../project.ts';
import { runFolder } from '../runs.ts';
import { servedName } from '../ship/serving.ts';
import { readBody } from './body.ts';
import type { ProjectEnv, StudioContext } from './index.ts';

const answer = z.strictObject({ label: z.enum(['normal', 'anomalous']).nullable().optional() });
const FRAME_BYTES = 16 * 2 ** 20;

/** A frame of the browser's camera, scored. */
export interface FrameScore {
  readonly score: number;
  readonly threshold: number | null;
  readonly isAnomalous: boolean | null;
  readonly pValue?: number;
  /** Milliseconds in the server. */
  readonly ms: number;
  /** The frame with its map over it, as the address of a PNG. */
  readonly overlay: string;
}

/** An alarm as the page shows it. */
export type ShownAlarm = Alarm & {
  /** What says the same of it, once somebody has said what it was. That somebody saw an alarm is known to Studio alone. */
  readonly command?: string;
};
export type ShownAlarmPage = Omit<AlarmPage, 'alarms'> & { readonly alarms: readonly ShownAlarm[] };

/** A watch as the page shows it. */
export type ShownWatch = WatchFacts & { readonly command: string };

export function liveRoutes({ catalogue, words }: StudioContext): Hono<ProjectEnv> {
  const app = new Hono<ProjectEnv>();
  const shown = (project: Project, one: WatchFacts): ShownWatch => ({
    ...one,
    command: commandOfWatch(project, one, words),
  });
  app.get('/watches', (c) => {
    const project = c.get('project');
    return c.json(project.watches.list().map((one) => shown(project, one)) satisfies readonly ShownWatch[]);
  });
  app.get('/watches/:id', (c) => {
    const project = c.get('project');
    return c.json(shown(project, known(project.watches.find(c.req.param('id')))) satisfies ShownWatch);
  });
  app.get('/watches/:id/trace', async (c) => {
    const { channel, count: wanted = '600' } = c.req.query();
    const count = Number(wanted);
    if (!Number.isInteger(count) || count < 1 || count > 2000)
      throw new Problem(400, 'bad-count', '"count" must be a whole number from 1 to 2000.');
    const trace = await c.get('project').watches.traceOf(c.req.param('id'), { count, channel });
    return c.json(known(trace) satisfies LiveTrace);
  });
  app.post('/watches', async (c) => c.json(await c.get('project').watches.begin(await readBody(c, watchSetup)), 201));
  app.post('/watches/:id/stop', async (c) => c.json(known(await c.get('project').watches.stop(c.req.param('id')))));
  app.post('/watches/:id/start', async (c) => c.json(known(c.get('project').watches.restart(c.req.param('id')))));
  app.delete('/watches/:id', async (c) => {
    await c.get('project').watches.remove(c.req.param('id'));
    return c.body(null, 204);
  });

  app.post('/sinks/test', async (c) => {
    const work = projectFiles(c.get('project').folder).watch;
    await makeFolder(work);
    return c.json({ sent: await trySinks(await readBody(c, sinkSetup), work) });
  });

  const shownAlarm = (project: Project, alarm: Alarm): ShownAlarm => {
    const { run, item, label } = alarm;
    const folder = join(projectFiles(project.folder).runs, run);
    return { ...alarm, ...(label !== null && { command: commandOf(words, 'feedback', [folder, item, label]) }) };
  };
  app.get('/alarms', (c) => {
    const [from, count] = [c.req.query('from') ?? '0', c.req.query('count') ?? '50'].map(Number);
    const isWhole = Number.isInteger(from) && Number.isInteger(count) && from >= 0 && count >= 1 && count <= 500;
    if (!isWhole)
      throw new Problem(400, 'bad-page', '"from" must be a whole number from 0, "count" one from 1 to 500.');
    const page = listAlarms(c.get('project'), { from, count, isOpen: c.req.query('open') === 'true' });
    const alarms = page.alarms.map((one) => shownAlarm(c.get('project'), one));
    return c.json({ ...page, alarms } satisfies ShownAlarmPage);
  });
  app.post('/alarms/:id', async (c) => {
    const { label } = await readBody(c, answer);
    const answered = await answerAlarm(c.get('project'), Number(c.req.param('id')), label);
    return c.json(shownAlarm(c.get('project'), answered) satisfies ShownAlarm);
  });
  app.get('/alarms/:id/picture', async (c) => {
    const { overlay } = findAlarm(c.get('project'), Number(c.req.param('id')));
    const bytes = overlay === null ? undefined : await readFile(overlay).catch(() => undefined);
    if (!bytes) throw new Problem(404, 'no-picture', 'This alarm has no picture, or its file is gone.');
    return c.body(new Uint8Array(bytes), 200, { 'Content-Type': 'image/png', 'X-Content-Type-Options': 'nosniff' });
  });
  frameRoute(app, catalogue);
  return app;
}

/** A frame of the browser's camera: scored, and kept where it is anomalous. */
function frameRoute(app: Hono<ProjectEnv>, catalogue: StudioContext['catalogue']): void {
  app.post('/runs/:run/frame', async (c) => {
    const begin = performance.now();
    const project = c.get('project');
    const run = c.req.param('run');
    const folder = await runFolder(project, run);
    const bytes = await bodyBytes(c, FRAME_BYTES);
    const name = servedName(project.name, run);
    await catalogue.add(name, folder);
    return catalogue.use(name, undefined, async ({ detector }) => {
      if (!isImage(detector.shape))
        throw new Problem(400, 'no-images', `${run} takes no images, so that no camera suits it.`);
      const { score, threshold, isAnomalous, pValue, values, map } = await detector.scoreImage(bytes);
      const scale = shownScale(detector.info, map, await reachOf(project));
      const png = overlayOf({ ...detector.info, mapScale: scale }, values, map);
      if (isAnomalous) {
        const at = new Date().toISOString();
        const place = join(projectFiles(project.folder).watch, 'camera', at.replaceAll(':', '-'));
        await makeFolder(join(projectFiles(project.folder).watch, 'camera'));
        await writeAtomic(`${place}.jpg`, bytes);
        await writeAtomic(`${place}-map.png`, png);
        addAlarm(project, {
          ...{
            run,
            source: 'camera of the browser',
            item: `${place}.jpg`,
            score,
            threshold,
            at,
            overlay: `${place}-map.png`,
            reasons: null,
          },
        });
      }
      return c.json({
        ...{ score, threshold, isAnomalous, ms: performance.now() - begin },
        ...(pValue !== undefined && { pValue }),
        overlay: `data:image/png;base64,${Buffer.from(png).toString('base64')}`,
      } satisfies FrameScore);
    });
  });
}

function known<T>(watch: T | undefined): T {
  if (watch === undefined) throw new Problem(404, 'unknown-watch', 'There is no such watch in this project.');
  return watch;
}
