/** How far and where a picture is zoomed; panes that share one move together. */
import type { Signal } from '@preact/signals';

/** The middle of what is seen as shares of the picture, and how many times it is enlarged. */
export interface Zoom {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

export const whole: Zoom = { scale: 1, x: 0.5, y: 0.5 };
const MOST = 24;

/** Keeps the picture over its pane. */
export function within({ scale, x, y }: Zoom): Zoom {
  const size = Math.min(MOST, Math.max(1, scale));
  const edge = 0.5 / size;
  const clamp = (at: number) => Math.min(1 - edge, Math.max(edge, at));
  return { scale: size, x: clamp(x), y: clamp(y) };
}

/** The transformation of a picture that fills its pane. */
export const transformOf = ({ scale, x, y }: Zoom): string =>
  `transform: translate(${100 * (0.5 - x * scale)}%, ${100 * (0.5 - y * scale)}%) scale(${scale})`;

/** Enlarges by a factor; what is at a place of the pane, as shares, stays there. */
export function zoomBy(zoom: Signal<Zoom>, factor: number, [px, py]: readonly [number, number] = [0.5, 0.5]): void {
  const { scale, x, y } = zoom.value;
  const size = Math.min(MOST, Math.max(1, scale * factor));
  const shift = (at: number, place: number) => at + (place - 0.5) * (1 / scale - 1 / size);
  zoom.value = within({ scale: size, x: shift(x, px), y: shift(y, py) });
}

/** Moves by shares of the pane. */
export function panBy(zoom: Signal<Zoom>, dx: number, dy: number): void {
  const { scale, x, y } = zoom.value;
  zoom.value = within({ scale, x: x + dx / scale, y: y + dy / scale });
}

/** What a key does; false for keys that do nothing here. */
export function pressed(zoom: Signal<Zoom>, key: string): boolean {
  const step = 0.15;
  const moves: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => panBy(zoom, -step, 0),
    ArrowRight: () => panBy(zoom, step, 0),
    ArrowUp: () => panBy(zoom, 0, -step),
    ArrowDown: () => panBy(zoom, 0, step),
    '+': () => zoomBy(zoom, 1.5),
    '=': () => zoomBy(zoom, 1.5),
    '-': () => zoomBy(zoom, 1 / 1.5),
    '0': () => {
      zoom.value = whole;
    },
  };
  if (!Object.hasOwn(moves, key)) return false;
  moves[key]();
  return true;
}
