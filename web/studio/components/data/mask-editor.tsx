/** Draws the mask of an image: brush, eraser, polygon, and a rectangle by numbers for the keyboard. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { ItemFacts } from '../../../../src/studio/answers-data.ts';
import { at, getBytes, send } from '../../api.ts';
import { dataWords as say } from '../../words/data.ts';
import { colouredMask, drawMask, maskFile, type Point, rectangle, type Size, type Stroke } from './mask-drawing.ts';
import type { DataStore } from './store.ts';
import { pictureUrl } from './tile.tsx';

type Tool = 'brush' | 'erase' | 'polygon';
const ORANGE = [245, 124, 32] as const;

export function MaskEditor({ store, item }: { store: DataStore; item: ItemFacts }) {
  const { project } = store;
  const canvas = useRef<HTMLCanvasElement>(null);
  const before = useRef<OffscreenCanvas | undefined>(undefined);
  const size = useSignal<Size | undefined>(undefined);
  const strokes = useSignal<readonly Stroke[]>([]);
  const [tool, brush] = [useSignal<Tool>('brush'), useSignal(0)];
  const corners = useSignal<readonly Point[]>([]);
  const [fault, news, hasFailed] = [useSignal(''), useSignal(''), useSignal(false)];
  const current = useRef<Point[] | undefined>(undefined);

  const paint = () => {
    const context = canvas.current?.getContext('2d');
    if (!context || !size.peek()) return;
    const open: Stroke[] = current.current
      ? [{ kind: 'brush', points: current.current, size: brush.peek(), isErasing: tool.peek() === 'erase' }]
      : [];
    drawMask(context, size.peek()!, {
      before: before.current,
      strokes: [...strokes.peek(), ...open],
      colour: `rgb(${ORANGE.join()})`,
    });
    const line = corners.peek();
    if (line.length === 0) return;
    context.lineWidth = Math.max(1, size.peek()!.width / 300);
    context.strokeStyle = '#fff';
    context.beginPath();
    for (const [x, y] of line) context.lineTo(x, y);
    context.stroke();
    for (const [x, y] of line) context.strokeRect(x - 1, y - 1, 2, 2);
  };
  useEffect(() => {
    if (!item.hasMask) return;
    getBytes(at(project, `/items/${item.id}/mask`)).then(
      async (bytes) => {
        before.current = await colouredMask(bytes, ORANGE);
        paint();
      },
      (error: Error) => {
        fault.value = error.message;
      },
    );
  }, []);
  useEffect(paint, [strokes.value, corners.value, size.value]);

  const add = (stroke: Stroke) => {
    strokes.value = [...strokes.peek(), stroke];
    news.value = '';
  };
  const pointOf = (event: PointerEvent | MouseEvent): Point => {
    const { left, top, width, height } = canvas.current!.getBoundingClientRect();
    const { width: w, height: h } = size.peek()!;
    return [((event.clientX - left) / width) * w, ((event.clientY - top) / height) * h];
  };
  const closePolygon = () => {
    if (corners.peek().length > 2) add({ kind: 'polygon', points: corners.peek(), isErasing: false });
    corners.value = [];
  };
  const work = async (what: () => Promise<string>) => {
    try {
      news.value = await what();
      fault.value = '';
    } catch (error) {
      fault.value = (error as Error).message;
    }
  };
  const save = () =>
    work(async () => {
      const drawing = { before: before.current, strokes: strokes.peek() };
      const { file, share } = await maskFile(size.peek()!, drawing);
      await send('PUT', at(project, `/items/${item.id}/mask`), file);
      return `${say.saved} ${say.marked(`${(100 * share).toPrecision(2)} %`)}`;
    });
  const remove = () =>
    work(async () => {
      await send('DELETE', at(project, `/items/${item.id}/mask`));
      before.current = undefined;
      strokes.value = [];
      return say.removed;
    });

  if (hasFailed.value) return <p>{say.noPicture}</p>;
  const tools: readonly (readonly [Tool, string])[] = [
    ['brush', say.brush],
    ['erase', say.erase],
    ['polygon', say.polygon],
  ];
  return (
    <div class="mask">
      <div class="stage">
        <img
          src={pictureUrl(project, item.id)}
          alt={say.imageOf(item.name)}
          onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) => {
            size.value = { width: naturalWidth, height: naturalHeight };
            brush.value = Math.max(2, Math.round(naturalWidth / 25));
          }}
          onError={() => {
            hasFailed.value = true;
          }}
        />
        {size.value && (
          <canvas
            ref={canvas}
            width={size.value.width}
            height={size.value.height}
            aria-label={say.drawing}
            role="img"
            onPointerDown={(event) => {
              if (event.button !== 0) return;
              if (tool.peek() === 'polygon') {
                corners.value = [...corners.peek(), pointOf(event)];
                return;
              }
              event.currentTarget.setPointerCapture(event.pointerId);
              current.current = [pointOf(event)];
              paint();
            }}
            onPointerMove={(event) => {
              if (!current.current) return;
              current.current.push(pointOf(event));
              paint();
            }}
            onPointerUp={() => {
              const points = current.current;
              current.current = undefined;
              if (points) add({ kind: 'brush', points, size: brush.peek(), isErasing: tool.peek() === 'erase' });
            }}
            onDblClick={closePolygon}
          />
        )}
      </div>
      <fieldset
        class="tools"
        onKeyDown={(event) => {
          if (corners.peek().length === 0 || (event.key !== 'Enter' && event.key !== 'Escape')) return;
          event.preventDefault();
          if (event.key === 'Escape') corners.value = [];
          else closePolygon();
        }}
      >
        <legend>{say.maskTitle}</legend>
        <p class="soft">{say.maskAbout}</p>
        <div class="row">
          {tools.map(([name, label]) => (
            <button
              key={name}
              type="button"
              aria-pressed={tool.value === name}
              onClick={() => {
                tool.value = name;
                corners.value = [];
              }}
            >
              {label}
            </button>
          ))}
        </div>
        {tool.value === 'polygon' ? (
          <p class="soft">{say.polygonHint}</p>
        ) : (
          <label>
            {say.brushSize}{' '}
            <input
              type="number"
              min={1}
              max={size.value?.width ?? 1000}
              value={brush.value}
              onInput={({ currentTarget }) => {
                brush.value = Math.max(1, currentTarget.valueAsNumber || 1);
              }}
            />
          </label>
        )}
        <RectangleForm size={size.value} onAdd={(points) => add({ kind: 'polygon', points, isErasing: false })} />
        <div class="row">
          <button
            type="button"
            disabled={strokes.value.length === 0}
            onClick={() => (strokes.value = strokes.peek().slice(0, -1))}
          >
            {say.undoStroke}
          </button>
          <button
            type="button"
            onClick={() => {
              before.current = undefined;
              strokes.value = [];
              paint();
            }}
          >
            {say.clearMask}
          </button>
          <button type="button" class="main" disabled={strokes.value.length === 0} onClick={() => void save()}>
            {say.saveMask}
          </button>
          {item.hasMask && (
            <button type="button" onClick={() => void remove()}>
              {say.removeMask}
            </button>
          )}
        </div>
        {fault.value && (
          <p class="banner" role="alert">
            {fault.value}
          </p>
        )}
        <p role="status">{news.value}</p>
      </fieldset>
    </div>
  );
}

function RectangleForm({ size, onAdd }: { size: Size | undefined; onAdd(points: readonly Point[]): void }) {
  const field = (name: string, label: string, most: number | undefined) => (
    <label>
      {label} <input type="number" name={name} min={0} max={most} step={1} required />
    </label>
  );
  return (
    <details>
      <summary>{say.rectangle}</summary>
      <form
        class="row numbers"
        onSubmit={(event) => {
          event.preventDefault();
          const data = new FormData(event.currentTarget);
          const [x, y, w, h] = ['left', 'top', 'width', 'height'].map((name) => Number(data.get(name)));
          onAdd(rectangle(x, y, w, h));
        }}
      >
        {field('left', say.left, size?.width)}
        {field('top', say.top, size?.height)}
        {field('width', say.width, size?.width)}
        {field('height', say.height, size?.height)}
        <button type="submit">{say.addRectangle}</button>
      </form>
    </details>
  );
}
