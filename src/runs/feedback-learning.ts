/** What an update learns from the images that people judged: normal ones are added, anomalous ones are never learnt. Node only. */
import { resolve } from 'node:path';
import { splitPage } from '../data/files/page-path.ts';
import { sha256 } from '../data/index.ts';
import { copyOf, type FeedbackEntry, type FeedbackImage, readFeedback } from './feedback-file.ts';
import { isAdded, wayIn } from './feedback-scores.ts';
import { readIfThere } from './files.ts';
import type { RunRecord } from './folder.ts';

/** What is in the training part of a run. */
export interface Training {
  /** Paths that the caller adds. */
  readonly add: readonly string[];
  /** Changes that the run has already. */
  readonly changes?: RunRecord['changes'];
  readonly data: string;
  /** Ids of its training images. */
  readonly trained: readonly string[];
}

/** What joins and leaves the training part, and the sentence that says so. */
export interface Learnable {
  readonly add: readonly string[];
  readonly remove: readonly string[];
  readonly message: string;
}

/**
 * Images of the feedback on a run that are new to its training part, and those in it that are anomalous; added images that people
 * called anomalous are left out. An image of the run's own data is not added: it is trained on, held out or tested on already.
 */
export async function learnable(run: string, { add, changes, data, trained }: Training): Promise<Learnable> {
  const entries = (await readFeedback(run)).filter(
    (e): e is FeedbackEntry & { item: FeedbackImage } => e.item.kind === 'image',
  );
  const before = new Set(changes?.added ?? []);
  const normal = entries.filter(({ label }) => label === 'normal');
  const anomalous = entries.filter(({ label }) => label === 'anomalous');
  const fresh = normal.filter(({ item }) => wayIn({ data }, item.path) === undefined && !isAdded(before, item.file));
  const odd = new Set<string | undefined>(anomalous.map(({ key }) => key));
  const keys = await Promise.all(add.map(keyOf));
  const wanted = add.filter((_, i) => !odd.has(keys[i]));
  const given = new Set(keys);
  const added = fresh.filter(({ key }) => !given.has(key)).map(({ item }) => resolve(copyOf(run, item)));
  const ids = new Set(trained);
  const remove = [
    ...anomalous.flatMap(({ item }) => {
      const way = wayIn({ data }, item.path);
      const id = way !== undefined && item.page !== undefined ? `${way}:${item.page}` : way;
      return id !== undefined && ids.has(id) ? [id] : [];
    }),
    ...[...before].filter((path) => anomalous.some(({ item }) => isAdded(new Set([path]), item.file))),
  ];
  const kept = normal.length - fresh.length;
  const parts = [
    `${added.length} normal images of the feedback are added`,
    ...(kept > 0 ? [`${kept} are images of the run already`] : []),
    `${anomalous.length} anomalous ones are not learnt`,
    ...(remove.length > 0 ? [`${remove.length} of them leave the training part`] : []),
    ...(wanted.length < add.length
      ? [`${add.length - wanted.length} of the images to add are among these and left out`]
      : []),
  ];
  return { add: [...wanted, ...added], remove, message: `${parts.join('; ')}.` };
}

/** The key that feedback on a file would have; undefined for what cannot be read, which is said when it is added. */
async function keyOf(path: string): Promise<string | undefined> {
  const { file, page } = splitPage(path);
  const bytes = await readIfThere(file).catch(() => undefined);
  if (!bytes) return undefined;
  const hash = await sha256(bytes);
  return page === undefined ? hash : sha256(`${hash}:${page}`);
}
