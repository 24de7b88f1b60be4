/** Projects: the list with the samples that can be begun with, making one, its facts, taking one away. */
import { Hono } from 'hono';
import * as z from 'zod';
import type { ProjectList } from '../answers.ts';
import { factsOf } from '../facts.ts';
import { readBody } from './body.ts';
import type { StudioContext } from './index.ts';

const create = z.strictObject({ name: z.string() });

export function projectRoutes({ projects }: StudioContext): Hono {
  const app = new Hono();
  app.get('/', async (c) => {
    const names = await projects.list();
    const facts = await Promise.all(names.map(async (name) => factsOf(await projects.open(name))));
    return c.json({ folder: projects.folder, projects: facts, samples: [] } satisfies ProjectList);
  });
  app.post('/', async (c) => {
    const { name } = await readBody(c, create);
    return c.json(await factsOf(await projects.create(name)), 201);
  });
  app.get('/:project', async (c) => c.json(await factsOf(await projects.open(c.req.param('project')))));
  app.delete('/:project', async (c) => {
    await projects.remove(c.req.param('project'));
    return c.body(null, 204);
  });
  return app;
}
