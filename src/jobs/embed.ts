/** Features of images and rows, by which those that are alike lie near each other, written into a file for a page. Node only. */
import { dirname } from 'node:path';
import { type ItemKind, isImage } from '../core/item-shape.ts';
import { dataRoot, findDataset, type Source } from '../data/index.ts';
import { type Described, describeImages } from '../engine/ranking/descriptors.ts';
import { closed, opened } from '../runs/closing.ts';
import { openDevice } from '../runs/device.ts';
import { makeFolder, writeAtomic, writeJson } from '../runs/files.ts';
import type { RunOptions } from '../runs/options.ts';
import { nodePlatform } from '../runs/platform.ts';
import type { JobContext } from './kinds.ts';

/** What stands beside the features. */
export interface EmbeddedItems {
  /** Ids within the data, in the order of the rows of features. */
  readonly ids: readonly string[];
  /** Numbers of each item. */
  readonly width: number;
}

/** Images are described at this size by the network in the box. */
const SIZE = [160, 160] as const;
const BACKBONE = { backbone: 'oddity', taps: 'coarse' } as const;

/** Writes features `[N, width]`, little-endian float32, to `out`, and before that EmbeddedItems to `items`. */
export async function embed(
  {
    data,
    kind,
    out,
    items: itemsPath,
    ...reading
  }: { data: string; kind: ItemKind; out: string; items: string } & Pick<RunOptions, 'columns' | 'missing' | 'decimal'>,
  { onEvent, signal }: Pick<JobContext, 'onEvent' | 'signal'>,
): Promise<{ items: number; width: number }> {
  const dataset = findDataset(data);
  const loaded = await dataset.load({
    ...{ ...reading, root: dataRoot(), onEvent, signal, ofRows: true },
    ...(kind === 'image' && { size: SIZE }),
  });
  const all = Uint32Array.from(loaded.items.keys());
  let source: Source = loaded;
  try {
    source = (await source.prepare?.(all, { scaling: 'standard', onEvent })) ?? source;
    const { features, width } = isImage(source.shape)
      ? await imagesOf(source, all, { onEvent, signal })
      : await rowsOf(source, all);
    await makeFolder(dirname(out));
    const ids = source.items.map(({ id }) => id);
    // The features go last: where they are, all is.
    await writeJson(itemsPath, { ids, width } satisfies EmbeddedItems);
    await writeAtomic(out, new Uint8Array(features.buffer, features.byteOffset, features.byteLength));
    return { items: ids.length, width };
  } finally {
    await source.close?.();
  }
}

async function imagesOf(source: Source, items: Uint32Array, heard: Pick<JobContext, 'onEvent' | 'signal'>) {
  const platform = nodePlatform({});
  const weights = await platform.loadBackbone({ name: BACKBONE.backbone, taps: [] }, heard);
  const pretrained = Object.fromEntries(Object.entries(weights).map(([name, t]) => [`backbone.${name}`, t]));
  const runtime = await opened(openDevice('auto', { onEvent: heard.onEvent }), heard.signal);
  try {
    return await describeImages({ source, items, ...BACKBONE, pretrained, runtime, ...heard });
  } finally {
    await closed(runtime, heard.signal);
    await platform.close();
  }
}

async function rowsOf(source: Source, items: Uint32Array): Promise<Described> {
  const width = source.shape[0];
  const features = new Float32Array(items.length * width);
  await source.read(items, features);
  return { features, width };
}
