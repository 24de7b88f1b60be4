/** Single items of a run's test part: what the detector says of each, pictures, the map as numbers, and what people say they are. */
import { Hono } from 'hono';
import * as z from 'zod';
import { option } from '../../core/text.ts';
import { feedback } from '../../runs/feedback.ts';
import { feedbackLabels } from '../../runs/feedback-file.ts';
import { Problem } from '../../server/problem.ts';
import { commandOf } from '../command.ts';
import { type FeedbackAnswer, type ItemAnswer, pictureNames } from '../inspect/answers.ts';
import { checkPlace, itemAnswer } from '../inspect/item.ts';
import { type OpenRuns, scoreOf } from '../inspect/open-runs.ts';
import { pictureOf } from '../inspect/pictures.ts';
import { placeOf } from '../inspect/place.ts';
import { reachOf } from '../inspect/shown-scale.ts';
import { runFolder } from '../runs.ts';
import { readBody } from './body.ts';
import type { ProjectEnv, StudioContext } from './index.ts';

const said = z.strictObject({
  items: z.array(z.int().min(0)).min(1).max(1000),
  label: z.enum(feedbackLabels).nullable(),
});

export function inspectRoutes({ words }: StudioContext, runs: OpenRuns): Hono<ProjectEnv> {
  const app = new Hono<ProjectEnv>();

  app.get('/runs/:run/items/:item', async (c) => {
    const folder = await runFolder(c.get('project'), c.req.param('run'));
    const reach = await reachOf(c.get('project'));
    const answer = await runs.use(folder, (run) => itemAnswer(run, Number(c.req.param('item')), reach));
    return c.json(answer satisfies ItemAnswer);
  });

  app.get('/runs/:run/items/:item/map', async (c) => {
    const folder = await runFolder(c.get('project'), c.req.param('run'));
    const index = Number(c.req.param('item'));
    const { map, mapShape } = await runs.use(folder, async (run) => {
      checkPlace(run, index);
      return scoreOf(run, index);
    });
    return c.body(new Uint8Array(map.slice().buffer as ArrayBuffer), 200, {
      'Content-Type': 'application/octet-stream',
      'X-Shape': mapShape.join('x'),
    });
  });

  app.get('/runs/:run/items/:item/pictures/:name', async (c) => {
    const folder = await runFolder(c.get('project'), c.req.param('run'));
    const name = pictureNames.find((one) => one === c.req.param('name'));
    if (!name) throw new Problem(404, 'no-picture', `Pictures are ${pictureNames.join(', ')}.`);
    const how = { name, reach: await reachOf(c.get('project')) };
    const { bytes, type } = await runs.use(folder, (run) => pictureOf(run, Number(c.req.param('item')), how));
    return c.body(bytes, 200, {
      'Content-Type': type,
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'no-cache',
    });
  });

  app.post('/runs/:run/feedback', async (c) => {
    const project = c.get('project');
    const name = c.req.param('run');
    const folder = await runFolder(project, name);
    const { items, label } = await readBody(c, said);
    const places = await runs.use(folder, async (run) =>
      items.map((index) => {
        checkPlace(run, index);
        return placeOf(run, index);
      }),
    );
    const { normal, anomalous, changed } = await feedback({ run: folder, items: places, label });
    project.changes.tell('items', { run: name });
    const command =
      label === null
        ? commandOf(words, 'feedback', [folder, ...places], [option('takeBack', true)])
        : commandOf(words, 'feedback', [folder, ...places, label]);
    return c.json({ normal, anomalous, changed, command } satisfies FeedbackAnswer);
  });

  return app;
}
