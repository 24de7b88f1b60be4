/**
 * Signs that a training has collapsed, read from what it watches: a generator that draws always the same, an encoder that
 * gives always the same code. Steps say what is watched (`Watch` in `src/nn/phase.ts`).
 */
import type { Event } from '../../core/events.ts';
import type { Watch } from '../../nn/phase.ts';
import type { Watched } from '../../nn/training.ts';
import type { EpochRecord } from './contract.ts';

/** Less than this share of what it should be is a collapse. */
const SHARE = 0.1;
/** Means of codes that differ by less, where draws around them differ by 1, are one: even one of 16 units that is used gives twice as much. */
const POSTERIOR = 0.03;

type Warning = Event & { type: 'warning' };

/** One kind of collapse: what is watched, and below which value it has collapsed; undefined where that is not known. */
interface Sign {
  readonly code: string;
  readonly kind: keyof Watch;
  /** From the spread of the data, where it is watched too, and the largest value so far. */
  floor(data: number | undefined, largest: number): number | undefined;
  message(value: string, floor: string): string;
  /** Only the last epoch of a phase counts: before it codes come into use one by one. */
  readonly isLate?: true;
}

const signs: readonly Sign[] = [
  {
    code: 'collapse-generated',
    kind: 'generated',
    floor: (data) => (data === undefined ? undefined : SHARE * data),
    message: (value, floor) =>
      `generated items differ by ${value}, less than a tenth of the training items (${floor}): the generator has ` +
      'collapsed and makes nearly the same item every time. Scores may be meaningless; train for fewer epochs or with ' +
      'lower learning rates.',
  },
  {
    code: 'collapse-code',
    kind: 'code',
    floor: (_data, largest) => SHARE * largest,
    message: (value, floor) =>
      `codes differ by ${value}, less than a tenth of before (${floor}): the encoder has collapsed and gives nearly the ` +
      'same code every time. Scores may be meaningless; train for fewer epochs or with lower learning rates.',
  },
  {
    code: 'collapse-posterior',
    kind: 'posterior',
    isLate: true,
    floor: () => POSTERIOR,
    message: (value) =>
      `means of codes differ by ${value}, beside draws that differ by 1: the codes say nothing of the item, and every item is ` +
      'decoded as the mean. Lower beta, raise warm-up, or train for more epochs.',
  },
];

/**
 * Watches the epochs of one phase, in order. A value below its floor is a warning where it was above before, or where
 * half of the phase is over: at the start a generator knows nothing. Each sign of each step is told once.
 */
export function watchCollapse(epochs: number, watched: readonly Watched[]): (record: EpochRecord) => Warning[] {
  const seen = new Map<string, { largest: number; wasAbove: boolean; isTold: boolean }>();
  const dataName = watched.find(({ kind }) => kind === 'data')?.metric;
  return (record) =>
    Object.entries(record.metrics).flatMap(([name, value]) => {
      const sign = signs.find(({ kind }) => watched.some((w) => w.metric === name && w.kind === kind));
      if (!sign || (sign.isLate && record.epoch < epochs)) return [];
      const state = seen.get(name) ?? { largest: 0, wasAbove: false, isTold: false };
      seen.set(name, state);
      state.largest = Math.max(state.largest, value);
      const floor = sign.floor(dataName === undefined ? undefined : record.metrics[dataName], state.largest);
      if (floor === undefined) return [];
      if (value >= floor && value > 0) {
        state.wasAbove = true;
        return [];
      }
      if (state.isTold || (!state.wasAbove && 2 * record.epoch < epochs)) return [];
      state.isTold = true;
      const where = `Epoch ${record.epoch} of phase "${record.phase}" (${name}): `;
      const short = (v: number) => String(Number(v.toPrecision(2)));
      const message = where + sign.message(short(value), short(floor / SHARE));
      return [{ type: 'warning', code: sign.code, message }];
    });
}
