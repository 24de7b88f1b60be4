/** Which items the batches of a phase hold, in a seeded order. */
import { InternalError } from '../../core/errors.ts';
import type { Rng } from '../../core/random.ts';
import { batchOrder } from '../../data/pure.ts';
import type { FitOptions } from './contract.ts';
import type { Plan } from './plan.ts';

/** The batches of a slot: all items in a seeded order, or where anomalies are too rare each kind in its own. */
export function positionsOf(
  data: Pick<FitOptions, 'source' | 'train' | 'labels'>,
  { batchSize, anomalyShare, balanced }: Pick<Plan, 'batchSize' | 'anomalyShare' | 'balanced'>,
  rng: Rng,
): (iteration: number) => Uint32Array {
  const { train, labels } = data;
  const all = Uint32Array.from(train.keys());
  const [normal, anomalous] = [0, 1].map((label) => all.filter((i) => (labels?.[i] ?? 0) === label));
  if (balanced) return balancedPositions(data, normal, anomalous, batchSize, rng);
  const isRare = anomalyShare !== undefined && anomalous.length < anomalyShare * train.length;
  if (!isRare || normal.length === 0 || anomalous.length === 0) {
    const order = batchOrder({ n: train.length, batchSize, rng });
    return (iteration) => order.at(iteration);
  }
  const count = Math.max(1, Math.min(batchSize - 1, Math.round(anomalyShare * batchSize)));
  const orders = [
    {
      members: normal,
      order: batchOrder({ n: normal.length, batchSize: batchSize - count, rng: rng.split('normal') }),
    },
    { members: anomalous, order: batchOrder({ n: anomalous.length, batchSize: count, rng: rng.split('anomalous') }) },
  ];
  return (iteration) =>
    Uint32Array.from(orders.flatMap(({ members, order }) => Array.from(order.at(iteration), (i) => members[i])));
}

/** Half a batch of normal items, then anomalies that take turns by class, each class in an order of its own. */
function balancedPositions(
  { source, train }: Pick<FitOptions, 'source' | 'train'>,
  normal: Uint32Array,
  anomalous: Uint32Array,
  batchSize: number,
  rng: Rng,
): (iteration: number) => Uint32Array {
  if (normal.length === 0 || anomalous.length === 0) {
    throw new InternalError(`balanced batches need both kinds, got ${normal.length} normal, ${anomalous.length} not.`);
  }
  const half = batchSize >> 1;
  const rest = batchSize - half;
  const normals = batchOrder({ n: normal.length, batchSize: half, rng: rng.split('normal') });
  const classOf = (position: number) => source.items[train[position]].class;
  const kinds = [...new Set(Array.from(anomalous, classOf))]
    .sort((a, b) => a - b)
    .map((number) => {
      const members = anomalous.filter((position) => classOf(position) === number);
      return { members, order: batchOrder({ n: members.length, batchSize: 1, rng: rng.split('class').split(number) }) };
    });
  return (iteration) => {
    const turns = Array.from({ length: rest }, (_, i) => iteration * rest + i);
    return Uint32Array.from([
      ...Array.from(normals.at(iteration), (i) => normal[i]),
      ...turns.map((turn) => {
        const { members, order } = kinds[turn % kinds.length];
        return members[order.at(Math.floor(turn / kinds.length))[0]];
      }),
    ]);
  };
}
