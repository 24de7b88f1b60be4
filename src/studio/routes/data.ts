/** The data of a project: what comes in, its items, their labels, masks and pictures, and versions of it all. */
import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import * as z from 'zod';
import { Problem } from '../../server/problem.ts';
import { bodyBytes } from '../../server/request-body.ts';
import type { ItemFacts } from '../answers-data.ts';
import { LEFT_OUT } from '../answers-data.ts';
import { commandOf } from '../command.ts';
import { resumeChecks } from '../data/check.ts';
import { edit, redo, setStretches, undo } from '../data/edits.ts';
import { actionOf, importsOf, itemsOfFinding } from '../data/findings.ts';
import { keepGroup } from '../data/groups.ts';
import { pictureOf, sides } from '../data/images.ts';
import { importPath } from '../data/import.ts';
import { MOST_OF_MASK, maskOf, removeMask, setMask } from '../data/masks.ts';
import { facetsOf, factsOfItems, filterSchema, idsOf, pageOf } from '../data/query.ts';
import { readingOf, readingSchema } from '../data/reading.ts';
import { seriesView } from '../data/rows.ts';
import { beginSimilar, featuresOf, itemsOfSimilar, similarOf } from '../data/similar.ts';
import { strangersOf } from '../data/strangers.ts';
import { forgetUploads, importUploads, storeUpload } from '../data/uploads.ts';
import { makeVersion, versionsOf } from '../data/versions.ts';
import { settingsOf } from '../jobs/command.ts';
import type { Project } from '../project.ts';
import { readBody } from './body.ts';
import type { ProjectEnv, StudioContext } from './index.ts';
import { readingRoutes } from './reading.ts';

/** Items of one page. */
const MOST = 1000;

const kind = z.enum(['table', 'series', 'clip']).optional();
const importBody = z.union([
  z.strictObject({ path: z.string().min(1), kind, reading: readingSchema.optional() }),
  z.strictObject({ uploads: z.literal(true), kind, reading: readingSchema.optional() }),
]);
const ids = z.array(z.int()).max(1_000_000);
const editBody = z.strictObject({
  items: z.union([ids, z.strictObject({ filter: filterSchema })]),
  set: z
    .strictObject({
      label: z.enum(['normal', 'anomalous']).nullable().optional(),
      split: z.enum(['train', 'validation', 'test']).nullable().optional(),
      type: z.string().trim().min(1).max(100).nullable().optional(),
    })
    .optional(),
  addTags: z.array(z.string()).max(20).optional(),
  removeTags: z.array(z.string()).max(20).optional(),
});
const groupBody = z.strictObject({ items: ids });
const stretchBody = z.strictObject({
  stretches: z
    .array(
      z
        .strictObject({ begin: z.int().min(0), end: z.int(), label: z.enum(['normal', 'anomalous']) })
        .refine(({ begin, end }) => end > begin, 'a stretch must end behind its begin'),
    )
    .max(10_000),
});

const wholeNumber = (text: string | undefined, preset: number, most: number): number => {
  const value = Number(text ?? preset);
  if (Number.isInteger(value) && value >= 0) return Math.min(value, most);
  throw new Problem(400, 'bad-number', `"${text}" must be a whole number of at least 0.`);
};

/** Filters of an address, without what is about paging. */
function filterOf(c: Context): z.output<typeof filterSchema> {
  const { from: _, count: __, ...given } = c.req.query();
  const parsed = filterSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [{ path, message, code }] = parsed.error.issues;
  const name = code === 'unrecognized_keys' ? '' : ` ${path.join('.')}`;
  throw new Problem(400, 'bad-filter', `The filter${name} is not as it must be: ${message}.`);
}

function itemOf(project: Project, text: string): ItemFacts {
  const [item] = /^\d{1,15}$/.test(text) ? factsOfItems(project, [Number(text)]) : [];
  if (item) return item;
  throw new Problem(404, 'unknown-item', `There is no item ${text.slice(0, 40)} in this project.`);
}

/** Bytes that a browser shows, and that do nothing else there. */
const headers = (type: string) => ({
  'Content-Type': type,
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; sandbox",
  'Cross-Origin-Resource-Policy': 'same-origin',
});

/** The name of a file behind `imports/`, with its folders. */
function uploadName(c: Context): string {
  const [, name = ''] = /\/imports\/(.*)$/.exec(new URL(c.req.url).pathname) ?? [];
  try {
    return decodeURIComponent(name);
  } catch {
    throw new Problem(400, 'file-name', 'The name of the file is not whole.');
  }
}

export function dataRoutes({ projects, maxUpload, words }: StudioContext): Hono<ProjectEnv> {
  const app = new Hono<ProjectEnv>();
  const { ended: signal } = projects;

  app.post('/import', async (c) => {
    const body = await readBody(c, importBody);
    const options = { kind: body.kind, signal, ...(body.reading && { reading: body.reading }) };
    const project = c.get('project');
    const answer =
      'path' in body ? await importPath(project, body.path, options) : await importUploads(project, options);
    return c.json(answer, 201);
  });
  app.get('/imports', async (c) => {
    await resumeChecks(c.get('project'), signal);
    const reading = readingOf(c.get('project'));
    const imports = importsOf(c.get('project'), words).map((one) => ({
      ...one,
      command: commandOf(words, 'inspect', [one.path], settingsOf(reading)),
    }));
    return c.json({ imports });
  });
  app.put('/imports/*', async (c) => {
    const { incoming } = c.env as unknown as HttpBindings;
    const declared = Number(c.req.header('Content-Length') ?? 0);
    await storeUpload(c.get('project'), uploadName(c), incoming, { most: maxUpload, declared });
    return c.body(null, 204);
  });
  app.delete('/imports', async (c) => {
    await forgetUploads(c.get('project'));
    return c.body(null, 204);
  });
  app.post('/findings/:finding', (c) => {
    const [project, id] = [c.get('project'), c.req.param('finding')];
    const [action, items] = [actionOf(project, id), itemsOfFinding(project, id)];
    if (!action || !items) throw new Problem(404, 'unknown-finding', 'There is nothing to be done about this here.');
    if (action === 'leave-out') edit(project, items, { addTags: [LEFT_OUT] });
    else removeMask(project, items);
    return c.json({ items: items.length });
  });

  app.get('/strangers', async (c) => c.json(await strangersOf(c.get('project'))));

  readingRoutes(app, { words, signal });
  similarRoutes(app);
  itemRoutes(app);

  app.post('/edits', async (c) => {
    const { items, ...wanted } = await readBody(c, editBody);
    const project = c.get('project');
    const chosen = Array.isArray(items) ? items : await idsOf(project, items.filter);
    return c.json({ items: edit(project, chosen, wanted) });
  });
  app.post('/undo', (c) => c.json({ done: undo(c.get('project')) }));
  app.post('/redo', (c) => c.json({ done: redo(c.get('project')) }));

  app.get('/versions', (c) => {
    const versions = versionsOf(c.get('project')).map((one) => {
      return { ...one, command: commandOf(words, 'train', [], settingsOf(one.options)) };
    });
    return c.json({ versions });
  });
  app.post('/versions', async (c) => c.json(await makeVersion(c.get('project')), 201));
  return app;
}

function similarRoutes(app: Hono<ProjectEnv>): void {
  app.get('/similar', async (c) => c.json(await similarOf(c.get('project'))));
  app.post('/similar', async (c) => c.json(await beginSimilar(c.get('project')), 202));
  app.get('/similar/items', async (c) => c.json({ items: await itemsOfSimilar(c.get('project')) }));
  app.get('/similar/features', async (c) =>
    c.body(await featuresOf(c.get('project')), 200, {
      ...headers('application/octet-stream'),
      'Cache-Control': 'no-store',
    }),
  );
  app.post('/groups', async (c) => {
    const { items } = await readBody(c, groupBody);
    return c.json({ group: await keepGroup(c.get('project'), items) }, 201);
  });
}

function itemRoutes(app: Hono<ProjectEnv>): void {
  app.get('/items', async (c) => {
    const { from, count } = c.req.query();
    const page = { from: wholeNumber(from, 0, Number.MAX_SAFE_INTEGER), count: wholeNumber(count, 100, MOST) };
    return c.json(await pageOf(c.get('project'), filterOf(c), page));
  });
  app.get('/ids', async (c) => c.json({ ids: await idsOf(c.get('project'), filterOf(c)) }));
  app.get('/facets', (c) => c.json(facetsOf(c.get('project'))));
  app.get('/items/:id', async (c) => c.json(itemOf(c.get('project'), c.req.param('id'))));

  app.get('/items/:id/image', async (c) => {
    const { path } = itemOf(c.get('project'), c.req.param('id'));
    const asked = c.req.query('size');
    const side = asked === undefined ? undefined : sides.find((one) => String(one) === asked);
    if (asked !== undefined && side === undefined)
      throw new Problem(400, 'bad-size', `The size of a picture must be one of ${sides.join(', ')}.`);
    const { bytes, type } = await pictureOf(c.get('project'), path, side);
    return c.body(bytes, 200, { ...headers(type), 'Cache-Control': 'private, max-age=300' });
  });
  app.get('/items/:id/mask', async (c) => {
    const bytes = await maskOf(c.get('project'), itemOf(c.get('project'), c.req.param('id')));
    if (!bytes) throw new Problem(404, 'no-mask', 'This item has no mask.');
    return c.body(bytes, 200, { ...headers('image/png'), 'Cache-Control': 'no-store' });
  });
  app.put('/items/:id/mask', async (c) => {
    const item = itemOf(c.get('project'), c.req.param('id'));
    await setMask(c.get('project'), item, await bodyBytes(c, MOST_OF_MASK));
    return c.body(null, 204);
  });
  app.delete('/items/:id/mask', (c) => {
    removeMask(c.get('project'), [itemOf(c.get('project'), c.req.param('id')).id]);
    return c.body(null, 204);
  });

  app.get('/items/:id/series', async (c) => {
    const { from, to, width } = c.req.query();
    const window = {
      from: wholeNumber(from, 0, Number.MAX_SAFE_INTEGER),
      ...(to !== undefined && { to: wholeNumber(to, 0, Number.MAX_SAFE_INTEGER) }),
      width: Math.max(1, wholeNumber(width, 1000, 4000)),
    };
    return c.json(await seriesView(c.get('project'), itemOf(c.get('project'), c.req.param('id')), window));
  });
  app.put('/items/:id/stretches', async (c) => {
    const { stretches } = await readBody(c, stretchBody);
    setStretches(c.get('project'), itemOf(c.get('project'), c.req.param('id')).id, stretches);
    return c.body(null, 204);
  });
}
