/** How files of rows are read: looked at before they come in or while they are in, and set. */
import type { Hono } from 'hono';
import * as z from 'zod';
import type { Words } from '../../core/text.ts';
import { Problem } from '../../server/problem.ts';
import { setReading } from '../data/import.ts';
import { readImports } from '../data/imports.ts';
import { readAs } from '../data/read-as.ts';
import { choicesOf, readingOf, readingSchema, withChoice } from '../data/reading.ts';
import { uploadedRoot } from '../data/uploads.ts';
import { readFact } from '../facts.ts';
import type { Project } from '../project.ts';
import { readBody } from './body.ts';
import type { ProjectEnv } from './index.ts';

const previewBody = z.strictObject({
  /** What is to come in; without both, what came in first. */
  path: z.string().min(1).optional(),
  uploads: z.literal(true).optional(),
  /** Default as it is set. */
  reading: readingSchema.optional(),
});
const choiceBody = z.strictObject({ choice: z.int().min(0) });

export function readingRoutes(
  app: Hono<ProjectEnv>,
  { words, signal }: { readonly words: Words; readonly signal: AbortSignal },
): void {
  app.post('/reading/preview', async (c) => {
    const { path, uploads, reading } = await readBody(c, previewBody);
    const project = c.get('project');
    const asked = uploads ? await uploadedRoot(project) : (path ?? readImports(project)[0]?.path);
    if (asked === undefined) throw new Problem(409, 'no-data', 'There is no file to look at yet. Choose one first.');
    return c.json(await readAs(asked, reading ?? current(project), words));
  });
  app.put('/reading', async (c) => {
    const reading = await readBody(c, readingSchema);
    await setReading(c.get('project'), reading, signal);
    return c.body(null, 204);
  });
  // What a finding proposes, by its place among the choices.
  app.post('/findings/:finding/choice', async (c) => {
    const { choice } = await readBody(c, choiceBody);
    const project = c.get('project');
    const [i, f] = c.req.param('finding').split('.').map(Number);
    const { text } = readImports(project)[i]?.findings[f] ?? {};
    const chosen = text && choicesOf(text)[choice];
    if (chosen?.value === undefined)
      throw new Problem(404, 'unknown-finding', 'This is no longer proposed here. Look at the findings again.');
    await setReading(project, withChoice(readingOf(project), chosen), signal);
    return c.body(null, 204);
  });
}

/** As the rows of a project are read now, their kind included. */
function current(project: Project) {
  const kind = (['table', 'series'] as const).find((one) => one === readFact(project, 'kind'));
  return { ...(kind && { kind }), ...readingOf(project) };
}
