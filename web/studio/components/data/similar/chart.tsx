/** The marks of a map on a canvas, and the hand that draws around them or points at one. */
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { type Drawn, drawMap } from './draw-map.ts';
import { nearestPoint, pointsInside } from './lasso.ts';

interface Props extends Omit<Drawn, 'line' | 'points'> {
  /** `x, y` in [0, 1]. */
  readonly points: Float32Array;
  /** What it shows, in words. */
  readonly label: string;
  /** Takes places in a line; `isMore` when they are to be added to those that are selected. */
  onChoose(places: readonly number[], isMore: boolean): void;
  onPick(place: number): void;
}

/** Room around the marks, in pixels. */
const MARGIN = 16;
/** A hand that moves less has clicked, and is meant for the mark that is so near. */
const CLICK = { move: 5, reach: 14 } as const;

export function Chart({ points, label, onChoose, onPick, ...looks }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const side = useSignal(0);
  const line = useSignal<readonly number[]>([]);
  const scheme = useSignal(0);
  useEffect(() => {
    const measure = () => {
      side.value = canvas.current!.clientWidth;
    };
    measure();
    const watcher = new ResizeObserver(measure);
    watcher.observe(canvas.current!);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const again = () => {
      scheme.value++;
    };
    dark.addEventListener('change', again);
    return () => {
      watcher.disconnect();
      dark.removeEventListener('change', again);
    };
  }, []);
  const placed = useMemo(
    () => points.map((value) => MARGIN + value * Math.max(0, side.value - 2 * MARGIN)),
    [points, side.value],
  );
  scheme.value;
  const drawn = { ...looks, points: placed, line: line.value };
  useLayoutEffect(() => drawMap(canvas.current!, drawn));

  const at = ({ clientX, clientY }: PointerEvent): [number, number] => {
    const { left, top } = canvas.current!.getBoundingClientRect();
    return [clientX - left, clientY - top];
  };
  const drop = () => {
    line.value = [];
  };
  const end = (event: PointerEvent) => {
    const path = line.peek();
    if (path.length === 0) return;
    drop();
    const far = path.some((value, i) => Math.abs(value - path[i % 2]) > CLICK.move);
    if (far) {
      onChoose(pointsInside(placed, path), event.shiftKey);
      return;
    }
    const place = nearestPoint(placed, at(event), CLICK.reach, (one) => !looks.isFaint(one));
    if (place !== undefined) onPick(place);
  };
  return (
    <canvas
      ref={canvas}
      role="img"
      aria-label={label}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.preventDefault();
        canvas.current!.setPointerCapture(event.pointerId);
        line.value = at(event);
      }}
      onPointerMove={(event) => {
        if (line.peek().length > 0) line.value = [...line.peek(), ...at(event)];
      }}
      onPointerUp={end}
      onPointerCancel={drop}
    />
  );
}
