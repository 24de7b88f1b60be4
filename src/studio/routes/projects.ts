/** Projects: the list with the samples that can be begun with, making one, its facts, taking one away. */
import { Hono } from 'hono';
import * as z from 'zod';
import type { ProjectList } from '../answers.ts';
import { importPath } from '../data/import.ts';
import { importSample, requireSample, samples } from '../data/samples.ts';
import { factsOf } from '../facts.ts';
import { pauseServing } from '../ship/serving.ts';
import { readBody } from './body.ts';
import type { StudioContext } from './index.ts';

const create = z.strictObject({
  name: z.string(),
  /** Name of a sample, or a path on this machine, that comes in at once. */
  sample: z.string().optional(),
  path: z.string().min(1).optional(),
  kind: z.enum(['table', 'series', 'clip']).optional(),
});

export function projectRoutes({ projects, catalogue }: StudioContext): Hono {
  const app = new Hono();
  app.get('/', async (c) => {
    const names = await projects.list();
    const facts = await Promise.all(names.map(async (name) => factsOf(await projects.open(name))));
    return c.json({ folder: projects.folder, projects: facts, samples } satisfies ProjectList);
  });
  app.post('/', async (c) => {
    const { name, sample, path, kind } = await readBody(c, create);
    if (sample !== undefined) requireSample(sample);
    const project = await projects.create(name);
    try {
      if (sample !== undefined) await importSample(project, sample, { signal: projects.ended });
      if (path !== undefined) await importPath(project, path, { kind, signal: projects.ended });
    } catch (error) {
      await projects.remove(name); // nothing came in: the name stays free
      throw error;
    }
    return c.json(await factsOf(project), 201);
  });
  app.get('/:project', async (c) => c.json(await factsOf(await projects.open(c.req.param('project')))));
  app.delete('/:project', async (c) => {
    const name = c.req.param('project');
    await pauseServing(catalogue, await projects.open(name));
    await projects.remove(name);
    return c.body(null, 204);
  });
  return app;
}
