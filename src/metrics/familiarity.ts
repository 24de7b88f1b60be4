/**
 * AUROC by what training knew of the anomalies: against those of classes whose labels took part in it, and against those
 * of classes that it was kept from. All normal items take part in both. Only some protocols tell the classes apart.
 */
import { aurocOf } from './auroc.ts';
import { defineMetric, type ItemInputs, type NoValue } from './define.ts';
import { rankCounts } from './rank-counts.ts';

function aurocWhere({ scores, labels, heldOut }: ItemInputs<'heldOut'>, wanted: 0 | 1): number | NoValue {
  const own: number[] = [];
  for (let i = 0; i < labels.length; i++) if (labels[i] === 0 || heldOut[i] === wanted) own.push(i);
  const counts = rankCounts(
    own.map((i) => scores[i]),
    own.map((i) => labels[i]),
  );
  if (counts) return aurocOf(counts);
  return { reason: `No anomalous test item is of a class that training ${wanted === 1 ? 'was kept from' : 'saw'}.` };
}

const shared = {
  level: 'item',
  range: [0, 1],
  better: 'higher',
  chance: 0.5,
  isOrdinal: true,
  needs: ['both-labels', 'heldOut'],
} as const;

/** AUROC against anomalies of classes that took part in training. */
export const itemSeenAuroc = defineMetric({
  ...shared,
  name: 'seenAuroc',
  title: 'AUROC, seen classes',
  short: 'AUROC seen',
  meaning: 'of anomalies of classes whose labels took part in training',
  compute: (items) => aurocWhere(items, 0),
});

/** AUROC against anomalies of classes that training was kept from. */
export const itemHeldOutAuroc = defineMetric({
  ...shared,
  name: 'heldOutAuroc',
  title: 'AUROC, held-out classes',
  short: 'AUROC held out',
  meaning: 'of anomalies of classes that training was kept from',
  compute: (items) => aurocWhere(items, 1),
});
