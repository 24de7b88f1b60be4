/** Scores of each kind of item one above the other, with the threshold as a line that can be dragged, and a second one for review. */
import type { ReadonlySignal, Signal } from '@preact/signals';
import { useComputed, useSignal } from '@preact/signals';
import { useMemo, useRef } from 'preact/hooks';
import { many, percent, raw, whole } from '../numbers.ts';
import { evaluateWords } from '../words/evaluate.ts';
import { type Axis, axisOf, barsOf, isWide, type Model, ticksOf } from './model.ts';

const words = evaluateWords.chart;
const HEIGHT = 100;

/** Thresholds that the page looks at. */
export interface Choice {
  readonly threshold: Signal<number>;
  /** Where review begins; null for no band. */
  readonly review: Signal<number | null>;
  /** Is told once a line was moved by hand. */
  onMove(): void;
}

type Line = 'threshold' | 'review';

/** Moves a line; the other one makes way, so that review lies below the threshold. */
function move({ threshold, review, onMove }: Choice, line: Line, to: number) {
  if (line === 'threshold') threshold.value = to;
  else review.value = to;
  if (review.value !== null && review.value > threshold.value) {
    if (line === 'threshold') review.value = to;
    else threshold.value = to;
  }
  onMove();
}

export function Histogram({
  model,
  choice,
  item,
  items,
}: {
  model: Model;
  choice: Choice;
  item: string;
  items: string;
}) {
  const isStretched = useSignal(false);
  const plot = useRef<HTMLDivElement>(null);
  const moving = useRef<Line | undefined>(undefined);
  const isLog = useSignal(isWide(model));
  const axis = useComputed(() => axisOf(model, isLog.value));
  const drawn = useMemo(
    () => model.groups.map((group) => ({ ...group, bars: barsOf(group.scores, axis.value) })),
    [model, axis.value],
  );
  const placeOf = (value: number) => 100 * axis.value.placeOf(value);
  const band = useComputed(() => {
    const { value: from } = choice.review;
    if (from === null) return 'display: none';
    const begin = placeOf(from);
    return `left: ${begin}%; width: ${placeOf(choice.threshold.value) - begin}%`;
  });
  const alarm = useComputed(() => `left: ${placeOf(choice.threshold.value)}%; right: 0`);

  const valueAt = ({ clientX }: PointerEvent) => {
    const box = plot.current!.getBoundingClientRect();
    return axis.value.valueAt((clientX - box.left) / box.width);
  };
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    const at = valueAt(event);
    const { value: from } = choice.review;
    const isNearer = from !== null && Math.abs(at - from) < Math.abs(at - choice.threshold.value);
    moving.current = isNearer ? 'review' : 'threshold';
    plot.current!.setPointerCapture(event.pointerId);
    plot.current!.querySelector<HTMLElement>(`[data-line="${moving.current}"]`)?.focus({ preventScroll: true });
    event.preventDefault();
    move(choice, moving.current, at);
  };

  return (
    <div class="histogram">
      <div
        class="plot"
        ref={plot}
        onPointerDown={down}
        onPointerMove={(event) => moving.current && move(choice, moving.current, valueAt(event))}
        onPointerUp={() => {
          moving.current = undefined;
        }}
        onPointerCancel={() => {
          moving.current = undefined;
        }}
      >
        <div class="alarms" style={alarm} aria-hidden="true">
          {words.alarm}
        </div>
        <div class="band" style={band} aria-hidden="true" />
        {drawn.map(({ name, bars, scores }) => (
          <Bars
            key={name}
            name={name}
            bars={bars}
            isStretched={isStretched}
            title={words.bars(words.groups[name], many(scores.length, item, items), raw(scores[scores.length >> 1]))}
            text={`${words.groups[name]}, ${whole(scores.length)}`}
          />
        ))}
        <Handle line="threshold" model={model} choice={choice} axis={axis} />
        {choice.review.value !== null && <Handle line="review" model={model} choice={choice} axis={axis} />}
      </div>
      <div class="axis" aria-hidden="true">
        {ticksOf(axis.value).map((tick) => (
          <span key={tick} style={`left: ${placeOf(tick)}%`}>
            {raw(tick)}
          </span>
        ))}
      </div>
      <p class="soft axis-name">
        {words.axis}
        {model.isCut && `; ${words.beyond}`}
      </p>
      <div class="row">
        <label>
          <input
            type="checkbox"
            checked={isStretched.value}
            onChange={({ currentTarget }) => {
              isStretched.value = currentTarget.checked;
            }}
          />{' '}
          {words.stretch}
        </label>
        <label>
          <input
            type="checkbox"
            checked={isLog.value}
            onChange={({ currentTarget }) => {
              isLog.value = currentTarget.checked;
            }}
          />{' '}
          {words.log}
        </label>
        <label title={words.reviewWhat}>
          <input
            type="checkbox"
            checked={choice.review.value !== null}
            onChange={({ currentTarget }) => {
              const { value: at } = choice.threshold;
              const { placeOf: place, valueAt } = axis.value;
              choice.review.value = currentTarget.checked ? Math.min(at, valueAt(place(at) - 0.08)) : null;
              choice.onMove();
            }}
          />{' '}
          {words.reviewOn}
        </label>
      </div>
      <p class="soft">{words.hint}</p>
    </div>
  );
}

/** The bars of one kind of item, as shares of the highest. */
function Bars(props: {
  name: string;
  bars: readonly number[];
  isStretched: ReadonlySignal<boolean>;
  title: string;
  text: string;
}) {
  const { name, bars, title, text } = props;
  const size = (share: number) => (props.isStretched.value ? Math.sqrt(share) : share);
  const most = Math.max(...bars.map(size), 1e-9);
  return (
    <div class={`bars ${name}`}>
      <svg viewBox={`0 0 ${bars.length} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={title}>
        <title>{title}</title>
        {bars.map((share, i) => {
          const height = share === 0 ? 0 : Math.max(1.5, (HEIGHT * size(share)) / most);
          return <rect key={i} x={i + 0.06} width={0.88} y={HEIGHT - height} height={height} />;
        })}
      </svg>
      <span class="name" aria-hidden="true">
        {text}
      </span>
    </div>
  );
}

/** A line with its handle: a slider for the keyboard and for screen readers, along the axis in percent. */
function Handle({
  line,
  model,
  choice,
  axis,
}: {
  line: Line;
  model: Model;
  choice: Choice;
  axis: ReadonlySignal<Axis>;
}) {
  const value = useComputed(() => (line === 'threshold' ? choice.threshold.value : (choice.review.value ?? model.low)));
  const place = useComputed(() => Number((100 * axis.value.placeOf(value.value)).toFixed(3)));
  const style = useComputed(() => `left: ${place.value}%`);
  const said = useComputed(() => {
    const { truePositives, falsePositives } = model.points.at(value.value);
    const share = (truePositives + falsePositives) / Math.max(1, model.scores.length);
    return words.value(raw(value.value, 5), percent(share));
  });
  const text = useComputed(() => raw(value.value, 4));
  const press = (event: KeyboardEvent) => {
    const step = event.shiftKey ? 0.05 : 0.5;
    const by: Readonly<Record<string, number>> = {
      ArrowLeft: -step,
      ArrowDown: -step,
      ArrowRight: step,
      ArrowUp: step,
      PageDown: -10 * step,
      PageUp: 10 * step,
      Home: -100,
      End: 100,
    };
    if (!(event.key in by)) return;
    event.preventDefault();
    move(choice, line, axis.value.valueAt(axis.value.placeOf(value.value) + by[event.key] / 100));
  };
  return (
    <div
      class={`handle ${line}`}
      data-line={line}
      role="slider"
      tabIndex={0}
      aria-label={words[line]}
      aria-orientation="horizontal"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={place}
      aria-valuetext={said}
      style={style}
      onKeyDown={press}
    >
      <span aria-hidden="true">{text}</span>
    </div>
  );
}
