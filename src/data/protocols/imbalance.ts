/** The protocol of seed 000: one class is normal, some of the others are labelled in training, the rest is held out. */
import { ConfigError, DataError } from '../../core/errors.ts';
import type { Rng } from '../../core/random.ts';
import { option, say } from '../../core/text.ts';
import type { Source } from '../item.ts';
import { finishSplit } from '../split.ts';
import { fractionOf, given, numbersWhere, type Protocol, type ProtocolOptions, resolveClass } from './protocol.ts';

export const imbalance: Protocol = {
  name: 'imbalance',
  title: 'One class is normal, anomalies of some others are labelled',
  description:
    'Supervised: the class is normal; items of the other classes train as labelled anomalies, except those of the ' +
    'classes held out (half of them, drawn by the seed, unless named). The official test part of all classes tests, and ' +
    'seen and held-out classes are judged apart (after seed 000 of the founding documents).',
  needs: ['class'],
  split(source, options) {
    const normal = resolveClass(source, given(options, 'imbalance', source));
    const labelledFraction = fractionOf(options);
    const { items, classes } = source;
    const rng = options.rng.split('split');
    const others = [...new Set(items.map((item) => item.class))].filter((c) => c !== normal).sort((a, b) => a - b);
    const heldOut = heldOutOf(source, normal, others, options.heldOut, rng.split('held-out'));
    const names = (list: readonly number[]) => list.map((c) => `"${classes[c]}"`).join(', ');
    const seen = others.filter((c) => !heldOut.includes(c));
    const anomalies = seen.flatMap((c) => {
      const own = numbersWhere(source, (i) => items[i].part === 'train' && items[i].class === c);
      const used = own.length === 0 ? 0 : Math.max(1, Math.round(labelledFraction * own.length));
      return [...rng.split('anomalies').split(c).shuffle(own).subarray(0, used)];
    });
    if (anomalies.length === 0) {
      throw new DataError(
        'no-labelled-anomalies',
        say`The protocol imbalance needs anomalies to train on, but ${source.name} has none in the training part of
          ${seen.length === 0 ? 'the classes that are not held out' : names(seen)}. Use
          ${option('protocol', 'one-class')}, which trains on normal items only.`,
      );
    }
    return finishSplit(source, {
      protocol: 'imbalance',
      description:
        `Imbalance: "${classes[normal]}" of ${source.name} is normal; ${anomalies.length} labelled anomalies of ` +
        `${names(seen)} train; ${heldOut.length === 0 ? 'no class is held out' : `${names(heldOut)} are held out`}.`,
      normals: numbersWhere(source, (i) => items[i].part === 'train' && items[i].class === normal),
      anomalies,
      heldOut,
      test: numbersWhere(source, (i) => items[i].part === 'test'),
      isAnomalous: (i) => items[i].class !== normal,
      options,
      rng: rng.split('validation'),
    });
  },
};

/** Classes of anomalies to keep from training, ascending: those named, or half of all, drawn. */
function heldOutOf(
  source: Source,
  normal: number,
  others: readonly number[],
  named: ProtocolOptions['heldOut'],
  rng: Rng,
): number[] {
  // Half: the two figures, for seen and for held-out classes, then rest on about as many classes.
  if (!named) return [...rng.shuffle(Uint32Array.from(others)).subarray(0, others.length >> 1)].sort((a, b) => a - b);
  const numbers = [...new Set(named.map((one) => resolveClass(source, one)))].sort((a, b) => a - b);
  if (numbers.includes(normal)) {
    throw new ConfigError(
      'held-out',
      say`Held-out classes must be anomalous, but "${source.classes[normal]}" is the normal class. Remove it from
        ${option('heldOut')}.`,
    );
  }
  return numbers;
}
