/** Jobs of a project: the list, adding, cancelling and resuming them, what they said; the forms and plans that they begin with. */
import { Hono } from 'hono';
import * as z from 'zod';
import { ConfigError, unknownName } from '../../core/errors.ts';
import type { ItemKind } from '../../core/item-shape.ts';
import { kinds } from '../../kinds/index.ts';
import { Problem } from '../../server/problem.ts';
import type { JobLog, Preview, ShownJob } from '../jobs/answers.ts';
import { modelForms, runForm } from '../jobs/forms.ts';
import { kindOf, measurePlans, projectPlans } from '../jobs/plans.ts';
import { jobRequest, preview, shown, submit } from '../jobs/submit.ts';
import type { Project } from '../project.ts';
import { readBody } from './body.ts';
import type { ProjectEnv, StudioContext } from './index.ts';

const measure = z.strictObject({ version: z.string().optional() });

export function jobRoutes({ words }: StudioContext): Hono<ProjectEnv> {
  const app = new Hono<ProjectEnv>();
  app.get('/jobs', async (c) => {
    const jobs = await c.get('project').queue.list();
    return c.json({ jobs: jobs.map((job) => shown(job, words)) });
  });
  app.post('/jobs', async (c) => {
    const job = await submit(c.get('project'), await readBody(c, jobRequest));
    return c.json(shown(job, words) satisfies ShownJob, 201);
  });
  app.post('/jobs/preview', async (c) => {
    return c.json((await preview(c.get('project'), await readBody(c, jobRequest), words)) satisfies Preview);
  });
  app.get('/jobs/:id', async (c) => c.json(shown(await jobOf(c.get('project'), c.req.param('id')), words)));
  app.post('/jobs/:id/cancel', async (c) => {
    const { queue } = c.get('project');
    const { id } = await jobOf(c.get('project'), c.req.param('id'));
    return c.json(shown(await queue.cancel(id), words));
  });
  app.post('/jobs/:id/resume', async (c) => {
    const { id } = await jobOf(c.get('project'), c.req.param('id'));
    try {
      return c.json(shown(await c.get('project').queue.resume(id), words));
    } catch (error) {
      if (error instanceof ConfigError && error.code === 'job-state') throw new Problem(409, error.code, error.message);
      throw error;
    }
  });
  app.get('/jobs/:id/log', async (c) => {
    const { id } = await jobOf(c.get('project'), c.req.param('id'));
    return c.json({ events: await c.get('project').queue.log(id) } satisfies JobLog);
  });
  app.get('/models', (c) => c.json({ models: modelForms(askedKind(c.get('project'), c.req.query('kind'))) }));
  app.get('/run-options', (c) => c.json({ options: runForm(askedKind(c.get('project'), c.req.query('kind'))) }));
  app.get('/plans', async (c) => c.json(await projectPlans(c.get('project'), c.req.query('version'), words)));
  app.post('/plans/measure', async (c) => {
    const { version } = await readBody(c, measure);
    await measurePlans(c.get('project'), version);
    return c.json(await projectPlans(c.get('project'), version, words), 202);
  });
  return app;
}

async function jobOf({ queue }: Project, id: string) {
  const job = await queue.find(id);
  if (!job) throw new Problem(404, 'unknown-job', `There is no job "${id}" in this project.`);
  return job;
}

/** The kind that is asked for, or that of the project's items. */
function askedKind(project: Project, asked: string | undefined): ItemKind {
  if (asked === undefined) return kindOf(project);
  const known = kinds.map(({ name }) => name);
  if (!known.includes(asked as ItemKind)) throw unknownName('kind', asked, known, 'kind');
  return asked as ItemKind;
}
