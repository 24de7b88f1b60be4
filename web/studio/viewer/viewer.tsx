/**
 * An image with its map: one over the other, side by side, by a slider or blinking, with the contour at the threshold and the ground
 * truth. Panes zoom and move together.
 */
import { type Signal, useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { PictureFacts, PictureName } from '../../../src/studio/inspect/answers.ts';
import { getBytes } from '../api.ts';
import { raw } from '../numbers.ts';
import { inspectWords } from '../words/inspect.ts';
import { Nearest, Regions } from './places.tsx';
import { panBy, pressed, transformOf, whole, type Zoom, zoomBy } from './zoom.ts';
import './viewer.css';

const words = inspectWords.viewer;
type Mode = keyof typeof words.modes;
/** Milliseconds of each picture. */
const BLINK = 600;

/** What all items are looked at with: it stays from one item to the next. */
export interface View {
  readonly mode: Signal<Mode>;
  readonly opacity: Signal<number>;
  readonly divider: Signal<number>;
  readonly hasContour: Signal<boolean>;
  readonly hasTruth: Signal<boolean>;
}

export function useView(): View {
  return {
    mode: useSignal<Mode>('overlay'),
    opacity: useSignal(0.55),
    divider: useSignal(0.5),
    hasContour: useSignal(true),
    hasTruth: useSignal(true),
  };
}

/** `path` is that of the item in the interface, without `/api`. */
export function Viewer({ path, id, facts, view }: { path: string; id: string; facts: PictureFacts; view: View }) {
  const zoom = useSignal<Zoom>(whole);
  const isMapShown = useSignal(true);
  const under = useSignal('');
  const map = useRef<Promise<Float32Array> | undefined>(undefined);
  const { mode, opacity, divider, hasContour, hasTruth } = view;
  const stays = matchMedia('(prefers-reduced-motion: reduce)').matches;
  useSignalEffect(() => {
    isMapShown.value = true;
    if (mode.value !== 'blink' || stays) return;
    const timer = setInterval(() => {
      isMapShown.value = !isMapShown.peek();
    }, BLINK);
    return () => clearInterval(timer);
  });
  const read = async (x: number, y: number) => {
    map.current ??= getBytes(`${path}/map`).then((bytes) => new Float32Array(bytes));
    const { height, width } = facts.mapSize;
    const values = await map.current.catch(() => undefined);
    const [column, row] = [Math.floor(x * width), Math.floor(y * height)];
    const value = values?.[row * width + column];
    if (value !== undefined) under.value = words.under(column, row, raw(value));
  };
  const shared = { path, id, facts, zoom, view, onPoint: read };
  const cover = useComputed(() => (isMapShown.value ? opacity.value : 0));
  const none = useComputed(() => 0);
  const full = useComputed(() => 1);
  return (
    <div class="viewer">
      <div class="row tools">
        <label>
          {words.mode}{' '}
          <select
            value={mode.value}
            onChange={({ currentTarget }) => {
              mode.value = currentTarget.value as Mode;
            }}
          >
            {Object.entries(words.modes).map(([name, text]) => (
              <option key={name} value={name}>
                {text}
              </option>
            ))}
          </select>
        </label>
        <label>
          {words.opacity}{' '}
          <input
            type="range"
            min={0}
            max={1}
            step={0.05}
            value={opacity.value}
            onInput={({ currentTarget }) => {
              opacity.value = currentTarget.valueAsNumber;
            }}
          />
        </label>
        {mode.value === 'slide' && (
          <label>
            {words.divider}{' '}
            <input
              type="range"
              min={0}
              max={1}
              step={0.01}
              value={divider.value}
              onInput={({ currentTarget }) => {
                divider.value = currentTarget.valueAsNumber;
              }}
            />
          </label>
        )}
        {mode.value === 'blink' && (
          <button
            type="button"
            onClick={() => {
              isMapShown.value = !isMapShown.value;
            }}
          >
            {words.blinkNow}
          </button>
        )}
        <Toggle label={words.contour} on={hasContour} />
        {facts.truth !== undefined && <Toggle label={words.truth} on={hasTruth} />}
        <span class="row">
          <button type="button" aria-label={words.zoomIn} title={words.zoomIn} onClick={() => zoomBy(zoom, 1.5)}>
            +
          </button>
          <button type="button" aria-label={words.zoomOut} title={words.zoomOut} onClick={() => zoomBy(zoom, 1 / 1.5)}>
            −
          </button>
          <button
            type="button"
            onClick={() => {
              zoom.value = whole;
            }}
          >
            {words.reset}
          </button>
        </span>
      </div>
      <section
        class="panes"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: keys move and zoom what is inside
        tabIndex={0}
        aria-label={words.label(id)}
        onKeyDown={(event) => {
          if (event.ctrlKey || event.metaKey || event.altKey) return;
          if (event.key === 'b' || event.key === 'B') isMapShown.value = !isMapShown.value;
          else if (!pressed(zoom, event.key)) return;
          event.preventDefault();
          event.stopPropagation();
        }}
      >
        {mode.value === 'side' ? (
          <>
            <Pane {...shared} name="image" cover={none} />
            <Pane {...shared} name="map" cover={full} />
            {facts.names.includes('reconstruction') && <Pane {...shared} name="reconstruction" cover={none} />}
          </>
        ) : (
          <Pane {...shared} name="image" cover={cover} isCut={mode.value === 'slide'} />
        )}
      </section>
      <Legend facts={facts} />
      <p class="soft" aria-live="off">
        {under.value || words.underNothing}
      </p>
      <Regions regions={facts.regions} size={facts.size} zoom={zoom} />
      {facts.nearest && <Nearest path={path} facts={facts} nearest={facts.nearest} />}
    </div>
  );
}

function Toggle({ label, on }: { label: string; on: Signal<boolean> }) {
  return (
    <label>
      <input
        type="checkbox"
        checked={on.value}
        onChange={({ currentTarget }) => {
          on.value = currentTarget.checked;
        }}
      />{' '}
      {label}
    </label>
  );
}

/** One picture: an image, the map over it as far as `cover` says, and outlines. */
function Pane(props: {
  path: string;
  id: string;
  facts: PictureFacts;
  zoom: Signal<Zoom>;
  view: View;
  name: PictureName;
  cover: { readonly value: number };
  isCut?: boolean;
  onPoint(x: number, y: number): void;
}) {
  const { path, id, facts, zoom, view, name, cover, isCut = false, onPoint } = props;
  const dragged = useRef<readonly [number, number] | undefined>(undefined);
  const box = useRef<HTMLDivElement>(null);
  const { height, width } = facts.mapSize;
  const style = useComputed(() => transformOf(zoom.value));
  const clip = useComputed(() =>
    isCut ? `opacity: 1; clip-path: inset(0 0 0 ${100 * view.divider.value}%)` : `opacity: ${cover.value}`,
  );
  const line = useComputed(() => `left: ${100 * view.divider.value}%`);
  const source = name === 'map' ? 'image' : name;
  const placeIn = ({ clientX, clientY }: MouseEvent): readonly [number, number] => {
    const { left, top, width: w, height: h } = box.current!.getBoundingClientRect();
    return [(clientX - left) / w, (clientY - top) / h];
  };
  const moved = (event: PointerEvent) => {
    const [px, py] = placeIn(event);
    const { scale, x, y } = zoom.value;
    const [u, v] = [x + (px - 0.5) / scale, y + (py - 0.5) / scale];
    if (u >= 0 && u < 1 && v >= 0 && v < 1) onPoint(u, v);
    if (!dragged.current) return;
    panBy(zoom, dragged.current[0] - px, dragged.current[1] - py);
    dragged.current = [px, py];
  };
  const { size } = facts;
  return (
    <figure class="pane">
      <div
        class="frame"
        ref={box}
        style={`aspect-ratio: ${size.width} / ${size.height}`}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          dragged.current = placeIn(event);
          box.current!.setPointerCapture(event.pointerId);
        }}
        onPointerMove={moved}
        onPointerUp={() => {
          dragged.current = undefined;
        }}
        onPointerCancel={() => {
          dragged.current = undefined;
        }}
        onWheel={(event) => {
          if (!event.ctrlKey && zoom.value.scale === 1 && !box.current!.closest('.panes')?.matches(':focus-within'))
            return;
          event.preventDefault();
          zoomBy(zoom, event.deltaY < 0 ? 1.2 : 1 / 1.2, placeIn(event));
        }}
      >
        <div class="layers" style={style}>
          <img
            src={`/api${path}/pictures/${source}`}
            alt={words.alt(words.names[name], id)}
            draggable={false}
            class={Math.max(height, width) < 200 ? 'coarse' : undefined}
          />
          {name !== 'reconstruction' && (
            <img
              class="map"
              style={clip}
              src={`/api${path}/pictures/map?reach=${facts.reach}`}
              alt=""
              draggable={false}
            />
          )}
          <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
            {view.hasTruth.value && facts.truth && (
              <>
                <path class="truth" d={facts.truth} />
                <path class="truth dash" d={facts.truth} />
              </>
            )}
            {view.hasContour.value && facts.contour && (
              <>
                <path class="contour under" d={facts.contour} />
                <path class="contour" d={facts.contour} />
              </>
            )}
          </svg>
        </div>
        {isCut && <div class="divider" style={line} aria-hidden="true" />}
      </div>
      <figcaption class="soft">{words.names[name]}</figcaption>
    </figure>
  );
}

/** The colours of the map with the values at their ends and in their middle. */
function Legend({ facts: { scale, reach, colours } }: { facts: PictureFacts }) {
  const { threshold, high } = scale;
  const low = Math.abs(scale.low) < 1e-4 * (high - scale.low) ? 0 : scale.low; // noise on a scale that ends far from it
  const hasMiddle = threshold !== null && threshold > low && threshold < high;
  const times = raw(reach, 2);
  const text = hasMiddle
    ? words.legend(raw(low), raw(threshold), raw(high), times)
    : words.legendEven(raw(low), raw(high));
  return (
    <div class="legend" role="img" aria-label={text} title={text}>
      <div style={`background: linear-gradient(to right, ${colours.join(', ')})`} />
      <span>{raw(low)}</span>
      {hasMiddle && <span class="middle">{words.atThreshold(raw(threshold))}</span>}
      <span class="end">{hasMiddle ? words.end(raw(high), times) : raw(high)}</span>
    </div>
  );
}
