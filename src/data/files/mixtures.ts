/** What is said of images that differ in colour or size before they become items of one shape. */
import { type Listener, warning } from '../../core/events.ts';
import { option, say } from '../../core/text.ts';
import type { ImageHeader } from '../formats/header.ts';
import { listed } from './explain-layout.ts';

/** Aspect ratios that differ by more than this are distorted visibly by one size for all. */
export const STRETCH = 1.1;

/** Warns of grey images among colour ones, and of sizes whose aspect ratios differ. */
export function warnOfMixtures(
  items: readonly { readonly id: string }[],
  headers: readonly ImageHeader[],
  options: {
    readonly shape: readonly [number, number, number];
    /** The caller chose the channels. */
    readonly channelsGiven: boolean;
    readonly onEvent: Listener;
  },
): void {
  const { shape, channelsGiven, onEvent } = options;
  const isGrey = headers.map(({ channels }) => channels === 1);
  const greys = isGrey.filter(Boolean).length;
  if (!channelsGiven && greys > 0 && greys < headers.length) {
    const [few, what] = greys * 2 < headers.length ? [true, 'grey'] : [false, 'colour'];
    const names = items.filter((_, i) => isGrey[i] === few).map(({ id }) => id);
    onEvent(
      warning(
        'mixed-channels',
        say`${greys} images are grey and ${headers.length - greys} are in colour (${what}: ${some(names)}), so all are read
          with 3 channels. Read them as grey with ${option('channels', 1)}, or save all in one mode.`,
      ),
    );
  }
  const sizes = new Map<string, number>();
  const ratios: number[] = [];
  for (const { height, width } of headers) {
    if (height === 0) continue; // AVIF: not in the header
    sizes.set(`${width}x${height}`, (sizes.get(`${width}x${height}`) ?? 0) + 1);
    ratios.push(width / height);
  }
  if (sizes.size < 2) return;
  const stretch = Math.max(...minMax(ratios)) / Math.min(...minMax(ratios));
  if (stretch <= STRETCH) return;
  const found = [...sizes].sort((a, b) => b[1] - a[1]).map(([size, n]) => `${size} (${n})`);
  const [, height, width] = shape;
  onEvent(
    warning(
      'mixed-sizes',
      say`The images have ${sizes.size} sizes, width x height: ${listed(found)}. All are stretched to ${width}x${height}, which
        distorts some ${stretch.toFixed(1)} times as much as others. Crop them to one aspect ratio, or train on the images of
        one size.`,
    ),
  );
}

const minMax = (values: readonly number[]) =>
  values.reduce(
    ([low, high], v) => [Math.min(low, v), Math.max(high, v)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );

const some = (names: readonly string[]) =>
  names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
