/** Draws the items of a map and the line around some: labels by shape and colour, selected ones with a ring. */
import type { Label } from '../../../../../src/studio/answers-data.ts';

/** What a map shows. */
export interface Drawn {
  /** `x, y` of each item, in pixels of the page. */
  readonly points: Float32Array;
  labelOf(place: number): Label | null;
  isSelected(place: number): boolean;
  /** It does not pass the filters. */
  isFaint(place: number): boolean;
  /** Place of the item in focus; undefined for none. */
  readonly focus: number | undefined;
  /** Corners of the line, `x, y`. */
  readonly line: readonly number[];
}

/** Half the size of a mark, in pixels: smaller where there are many. */
const sizeFor = (count: number): number => (count > 1500 ? 2.5 : count > 300 ? 3.5 : 4.5);
const FAINT = 0.2;

export function drawMap(canvas: HTMLCanvasElement, drawn: Drawn): void {
  const context = canvas.getContext('2d')!;
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = devicePixelRatio;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const style = getComputedStyle(canvas);
  const colour = (name: string) => style.getPropertyValue(name);
  const colours = { normal: colour('--normal'), anomalous: colour('--anomalous'), none: colour('--edge') };
  const mark = colour('--mark');
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const { points, focus, line } = drawn;
  const count = points.length / 2;
  const size = sizeFor(count);
  const places = Array.from({ length: count }, (_, i) => i);
  // Those that matter lie on top.
  const rank = (i: number) =>
    (drawn.isFaint(i) ? 0 : 4) + (drawn.isSelected(i) ? 2 : 0) + (drawn.labelOf(i) === 'anomalous' ? 1 : 0);
  places.sort((a, b) => rank(a) - rank(b));
  for (const i of places) {
    const [x, y] = [points[2 * i], points[2 * i + 1]];
    const label = drawn.labelOf(i) ?? 'none';
    context.globalAlpha = drawn.isFaint(i) ? FAINT : 1;
    drawMark(context, label, [x, y], size, colours[label]);
    if (!drawn.isSelected(i)) continue;
    context.strokeStyle = mark;
    context.lineWidth = 1.5;
    context.beginPath();
    context.arc(x, y, size + 2.5, 0, 2 * Math.PI);
    context.stroke();
  }
  context.globalAlpha = 1;
  if (focus !== undefined) drawFocus(context, [points[2 * focus], points[2 * focus + 1]], size + 7, mark);
  if (line.length > 2) drawLine(context, line, colour('--link'));
}

type Context = CanvasRenderingContext2D;

/** A disc, a triangle, or an empty square. The legend has the same. */
function drawMark(
  context: Context,
  label: Label | 'none',
  [x, y]: readonly [number, number],
  size: number,
  colour: string,
): void {
  context.fillStyle = colour;
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.beginPath();
  if (label === 'normal') {
    context.arc(x, y, size, 0, 2 * Math.PI);
    context.fill();
  } else if (label === 'anomalous') {
    context.moveTo(x, y - 1.4 * size);
    context.lineTo(x + 1.25 * size, y + size);
    context.lineTo(x - 1.25 * size, y + size);
    context.fill();
  } else {
    context.strokeRect(x - size + 0.5, y - size + 0.5, 2 * size - 1, 2 * size - 1);
  }
}

/** A cross of hairs around a point. */
function drawFocus(context: Context, [x, y]: readonly [number, number], size: number, colour: string): void {
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.beginPath();
  for (const [dx, dy] of [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ]) {
    context.moveTo(x + dx * size * 0.7, y + dy * size * 0.7);
    context.lineTo(x + dx * size * 1.6, y + dy * size * 1.6);
  }
  context.stroke();
}

function drawLine(context: Context, line: readonly number[], colour: string): void {
  context.beginPath();
  context.moveTo(line[0], line[1]);
  for (let i = 2; i < line.length; i += 2) context.lineTo(line[i], line[i + 1]);
  context.closePath();
  context.fillStyle = colour;
  context.globalAlpha = 0.12;
  context.fill();
  context.globalAlpha = 1;
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.setLineDash([5, 4]);
  context.stroke();
  context.setLineDash([]);
}
