/** Runs and what they are worth: the list, one run, its scores, saved thresholds, another threshold, two runs side by side. */
import { Hono } from 'hono';
import * as z from 'zod';
import { threshold } from '../../runs/threshold.ts';
import { Problem } from '../../server/problem.ts';
import { commandOf } from '../command.ts';
import type {
  CompareAnswer,
  RunAnswer,
  RunList,
  SavedPoint,
  ScoresAnswer,
  SoftCurvesAnswer,
  ThresholdAnswer,
} from '../evaluate/answers.ts';
import { compareNamed } from '../evaluate/compare.ts';
import { pointsOf, removePoint, savePoint } from '../evaluate/points.ts';
import { readRunAnswer, readScores, runsOf } from '../evaluate/runs.ts';
import { softCurvesOf } from '../evaluate/soft-curves.ts';
import { thresholdOptions } from '../evaluate/threshold-options.ts';
import type { OpenRuns } from '../inspect/open-runs.ts';
import { runFolder } from '../runs.ts';
import { readBody } from './body.ts';
import type { ProjectEnv, StudioContext } from './index.ts';

const point = z.strictObject({
  name: z.string().trim().min(1).max(100),
  threshold: z.number(),
  review: z.number().nullable().default(null),
});

const policy = z.discriminatedUnion('by', [
  z.strictObject({ by: z.literal('false-alarm-rate'), rate: z.number() }),
  z.strictObject({ by: z.literal('alarm-rate'), rate: z.number(), per: z.enum(['day', '1000 steps']) }),
  z.strictObject({ by: z.literal('miss-rate'), rate: z.number() }),
  z.strictObject({ by: z.literal('f-beta'), beta: z.number() }),
  z.strictObject({
    by: z.literal('cost'),
    falseAlarm: z.number(),
    miss: z.number(),
    prevalence: z.number().optional(),
  }),
  z.strictObject({ by: z.literal('value'), value: z.number(), sawTest: z.boolean().optional() }),
]);

const choice = z.strictObject({
  policies: z.array(policy).max(2),
  feedback: z.boolean().optional(),
  write: z.boolean().default(false),
});

export function evaluateRoutes({ words }: StudioContext, runs: OpenRuns): Hono<ProjectEnv> {
  const app = new Hono<ProjectEnv>();

  app.get('/runs', async (c) => c.json((await runsOf(c.get('project'))) satisfies RunList));

  app.get('/runs/:run', async (c) =>
    c.json((await readRunAnswer(c.get('project'), c.req.param('run'), { words })) satisfies RunAnswer),
  );

  app.get('/runs/:run/scores', async (c) =>
    c.json((await readScores(c.get('project'), c.req.param('run'))) satisfies ScoresAnswer),
  );

  app.get('/runs/:run/soft-curves', async (c) => {
    const folder = await runFolder(c.get('project'), c.req.param('run'));
    const number = Number(c.req.query('series') ?? 0);
    return c.json((await runs.use(folder, (run) => softCurvesOf(run, number))) satisfies SoftCurvesAnswer);
  });

  app.get('/runs/:run/points', async (c) => {
    await runFolder(c.get('project'), c.req.param('run'));
    return c.json(pointsOf(c.get('project'), c.req.param('run')) satisfies SavedPoint[]);
  });

  app.post('/runs/:run/points', async (c) => {
    await runFolder(c.get('project'), c.req.param('run'));
    const saved = savePoint(c.get('project'), c.req.param('run'), await readBody(c, point));
    return c.json(saved satisfies SavedPoint, 201);
  });

  app.delete('/runs/:run/points/:point', async (c) => {
    await runFolder(c.get('project'), c.req.param('run'));
    removePoint(c.get('project'), c.req.param('run'), Number(c.req.param('point')));
    return c.body(null, 204);
  });

  app.post('/runs/:run/threshold', async (c) => {
    const project = c.get('project');
    const name = c.req.param('run');
    const run = await runFolder(project, name);
    const { policies, feedback, write } = await readBody(c, choice);
    const { threshold: made, before, written } = await threshold({ run, policies, feedback, write });
    if (written) project.changes.tell('runs', { run: name });
    const command = commandOf(words, 'threshold', [run], thresholdOptions(policies, { feedback, write }));
    return c.json({ threshold: made, before, isWritten: written !== null, command } satisfies ThresholdAnswer);
  });

  app.get('/compare', async (c) => {
    const { a, b } = c.req.query();
    if (!a || !b) throw new Problem(400, 'two-runs', 'A comparison needs two runs, a and b.');
    return c.json((await compareNamed(c.get('project'), { a, b }, words)) satisfies CompareAnswer);
  });

  return app;
}
