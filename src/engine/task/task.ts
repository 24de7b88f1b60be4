/** A data set under a protocol: what a run trains on, holds out and tests on. */
import type { Listener } from '../../core/events.ts';
import type { Rng } from '../../core/random.ts';
import { findLeaks, type Region, type Source, type Split, sha256 } from '../../data/pure.ts';
import { kindOf } from '../../kinds/index.ts';

/** A loaded data set, split. */
export interface Task {
  readonly source: Source;
  readonly split: Split;
  readonly splitHash: string;
  /** Name of the class that the protocol is about. */
  readonly class: string;
  /** `[H, W]`, 1 inside, where only a part of the images counts. */
  readonly region?: Region;
  readonly rng: Rng;
  readonly seconds: number;
}

/** Order-preserving hash of a split: two runs with the same hash trained and tested on the same items. */
export function hashSplit(split: Split): Promise<string> {
  const { train, trainLabels, validation, test, testLabels } = split;
  const parts = [split.protocol, train.join(), validation.join(), test.join(), testLabels.join()];
  if (trainLabels.includes(1)) parts.push(trainLabels.join());
  return sha256(parts.join('\n'));
}

/** What is in two parts, by kind of item, and what to do. */
const leakWords: Record<string, { readonly what: string; readonly remedy: string }> = {
  image: { what: 'images are copies of images', remedy: 'the metrics are too optimistic. Remove the copies.' },
  series: {
    what: 'steps are seen through windows',
    remedy: 'the metrics are too optimistic. Remove the overlap of training and test series.',
  },
  table: {
    what: 'rows have all the values of rows',
    remedy:
      'if they are copies, the metrics are too optimistic, and the copies should be removed; if values simply repeat, read the metrics as those of such data.',
  },
};

/** Says what makes the result of a split doubtful. */
export function warnOfSplit(source: Source, split: Split, onEvent: Listener): void {
  if (split.prevalence === 0) {
    onEvent({
      type: 'warning',
      code: 'no-anomalies',
      message:
        `${source.name} has no anomalous ${kindOf(source.shape).words.items}: the detector is trained, but its accuracy cannot be measured. ` +
        'Add some anomalies to measure it.',
    });
  }
  const leaks = split.isWhole || split.leakFree ? [] : findLeaks(source, split);
  if (leaks.length > 0) {
    const { items } = source;
    const { what, remedy } = leakWords[kindOf(source.shape).name] ?? leakWords.image;
    const shown = leaks.slice(0, 3).map((leak) => `${items[leak.test].id} = ${items[leak.seen].id}`);
    onEvent({
      type: 'warning',
      code: 'leak',
      message:
        `${leaks.length} of ${split.test.length} test ${what} that were trained on or held out ` +
        `(${shown.join(', ')}${leaks.length > 3 ? ', …' : ''}): ${remedy}`,
    });
  }
}
