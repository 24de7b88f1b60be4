/** The range of values that the training images use, measured and told. */
import { type Listener, warning } from '../core/events.ts';
import { option, say } from '../core/text.ts';
import type { Pixels } from './resize.ts';
import { rangeFor, sayRange, sayUse, UsedValuesMeter, type ValueRange } from './value-range.ts';

/**
 * Measures training images, says what they use, and gives the range to read all images by; undefined where the usual
 * white of their depth is right.
 */
export async function findRange(
  train: ArrayLike<number>,
  dataOf: (i: number) => Promise<Pixels['data']>,
  onEvent: Listener,
): Promise<ValueRange | undefined> {
  const meter = new UsedValuesMeter();
  for (let k = 0; k < train.length; k++) meter.add(await dataOf(train[k]));
  return tellRange(meter, onEvent);
}

/** The range for what was measured, told where it is not the usual one. */
export function tellRange({ used }: UsedValuesMeter, onEvent: Listener): ValueRange | undefined {
  const range = used && rangeFor(used);
  if (!used || !range) return undefined;
  const [low, high] = range;
  const beyond = used.low < low || used.high > high ? `, and a few from ${sayRange([used.low, used.high])}` : '';
  onEvent(
    warning(
      'value-range',
      say`The training images use ${sayUse(used)}${beyond}. Values from ${sayRange(range)} are read as black to white, in
        training and in scoring; what lies outside is black or white. Set another range with
        ${option('valueRange', range)}.`,
    ),
  );
  return range;
}
