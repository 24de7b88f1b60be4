/** Images of an import that the project had before: byte for byte, or much alike. Node only. */
import { setImmediate } from 'node:timers/promises';
import { type Examined, type Look, lookOf, NEAR_BITS, nearBits } from '../../data/files/inspect/index.ts';
import type { Project } from '../project.ts';
import type { KeptFinding } from './imports.ts';

/** Pairs that are compared before others may work: some ten milliseconds. */
const PAIRS = 200_000;
/** Images of a project whose looks are compared; with more it would take minutes. */
const MOST = 40_000;

/** Images of an import that came in before with another one, byte for byte. */
export function knownAlready(project: Project, ids: ReadonlyMap<string, number>): KeptFinding[] {
  const own = JSON.stringify([...ids.values()]);
  const rows = project.database
    .prepare(
      `SELECT new.id, new.name, old.name AS before FROM json_each(?) AS ids JOIN items AS new ON new.id = ids.value
       JOIN items AS old ON old.hash = new.hash AND old.id < new.id AND old.id NOT IN (SELECT value FROM json_each(?))
       GROUP BY new.id`,
    )
    .all(own, own) as { id: number; name: string; before: string }[];
  const are = rows.length === 1 ? 'image was' : 'images were';
  return findingOf('known-already', rows, {
    message: `${rows.length} ${are} in the project before, byte for byte.`,
    advice: 'Leave the copies out: they would count twice.',
  });
}

/** Keeps how the images of an import look, in bytes of grey, for those that come in later. Within a transaction of the caller. */
export function keepLooks(project: Project, images: Examined['images'], ids: ReadonlyMap<string, number>): void {
  const keep = project.database.prepare('INSERT OR REPLACE INTO looks (item, thumbnail) VALUES (?, ?)');
  for (const { item, file } of images) {
    const id = ids.get(item.id);
    if (id !== undefined && file.image) keep.run(id, Buffer.from(file.image.thumbnail.map((v) => Math.round(255 * v))));
  }
}

/** Images of an import that look like one of the same label that came in before with another one, but are no copies of it. */
export async function lookKnown(
  project: Project,
  images: Examined['images'],
  ids: ReadonlyMap<string, number>,
  signal?: AbortSignal,
): Promise<KeptFinding[]> {
  const { database } = project;
  const { n } = database.prepare('SELECT count(*) AS n FROM looks').get() as { n: number };
  if (n + images.length > MOST) return [];
  const own = JSON.stringify([...ids.values()]);
  const before = (
    database
      .prepare(
        `SELECT name, label, hash, thumbnail FROM looks JOIN items ON items.id = looks.item
         WHERE item NOT IN (SELECT value FROM json_each(?)) ORDER BY item`,
      )
      .all(own) as { name: string; label: string | null; hash: string | null; thumbnail: ArrayBuffer | Uint8Array }[]
  ).map(({ thumbnail, ...one }) => ({
    ...one,
    look: lookOf(Float32Array.from(new Uint8Array(thumbnail), (v) => v / 255)),
  }));
  if (before.length === 0) return [];
  const copies = new Set(before.map(({ hash }) => hash));
  const labels = new Map(
    (
      database.prepare('SELECT id, name, label FROM items WHERE id IN (SELECT value FROM json_each(?))').all(own) as {
        id: number;
        name: string;
        label: string | null;
      }[]
    ).map(({ id, ...one }) => [id, one]),
  );
  const found: { id: number; name: string; before: string }[] = [];
  let pairs = 0;
  for (const { item, file } of images) {
    const id = ids.get(item.id);
    const facts = id === undefined ? undefined : labels.get(id);
    if (id === undefined || !facts || !file.image || copies.has(file.hash)) continue;
    const look: Look = lookOf(file.image.thumbnail);
    const like = before.find((one) => one.label === facts.label && nearBits(look, one.look) !== undefined);
    if (like) found.push({ id, name: facts.name, before: like.name });
    pairs += before.length;
    if (pairs < PAIRS) continue;
    pairs = 0;
    await setImmediate();
    if (signal?.aborted) return [];
  }
  const are = found.length === 1 ? 'image looks' : 'images look';
  return findingOf('looks-known', found, {
    message: `${found.length} ${are} like one of the same label that was in the project before (at most ${NEAR_BITS} bits of a gradient hash differ).`,
    advice: 'Check whether they show the same object; if so, leave them out, or keep them on one side of the split.',
  });
}

function findingOf(
  code: string,
  rows: readonly { readonly id: number; readonly name: string; readonly before: string }[],
  said: Pick<KeptFinding, 'message' | 'advice'>,
): KeptFinding[] {
  if (rows.length === 0) return [];
  const files = rows.slice(0, 10).map(({ name, before }) => ({ path: name, remark: `as ${before}` }));
  return [{ severity: 'warning', code, ...said, items: rows.map(({ id }) => id), files }];
}
