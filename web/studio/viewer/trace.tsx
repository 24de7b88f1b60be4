/** A part of a series: each channel with the band where its steps usually lie, the scores with the threshold, labels and alarms. */
import type { Trace } from '../../../src/studio/inspect/answers.ts';
import { raw, whole } from '../numbers.ts';
import { inspectWords } from '../words/inspect.ts';

const words = inspectWords.trace;
const HEIGHT = 100;
/** Channels that are drawn. */
const MOST = 8;

type Values = readonly (number | null)[];

export function TraceView({
  trace,
  threshold,
  onStep,
}: {
  trace: Trace;
  threshold: number | null;
  onStep(place: number): void;
}) {
  const { channels, values, lower, upper, scores, labels, places, first, step, total, alarms, times } = trace;
  const n = labels.length;
  const time = times?.[step - first];
  const shared = { n, labels, at: step - first, first, alarms };
  const click = (event: MouseEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const place = places[Math.min(n - 1, Math.max(0, Math.floor((n * (event.clientX - box.left)) / box.width)))];
    if (place !== null) onStep(place);
  };
  return (
    <section class="trace">
      <h2>{words.title}</h2>
      <p>
        {words.text(trace.series, whole(step + 1), whole(total))}
        {time !== undefined && `, ${new Date(time).toISOString().replace('T', ' ').slice(0, 19)}`}.{' '}
        {lower && words.band} <span class="soft">{words.legend}</span>
      </p>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the keyboard walks by the arrows of the page */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a shortcut of the mouse */}
      <div onClick={click}>
        {channels.slice(0, MOST).map((name, c) => {
          const known = values[c].filter((v) => v !== null);
          const text = words.channel(name, raw(Math.min(...known)), raw(Math.max(...known)));
          return (
            <Strip
              key={name}
              name={name}
              text={text}
              line={values[c]}
              lower={lower?.[c]}
              upper={upper?.[c]}
              {...shared}
            />
          );
        })}
        <Strip
          name={words.score}
          text={words.scores(threshold === null ? '–' : raw(threshold), alarms.length)}
          line={scores}
          level={threshold}
          {...shared}
        />
      </div>
    </section>
  );
}

/** One line of a trace: values with their band, or scores with the threshold and the alarms. */
export function Strip(props: {
  name: string;
  text: string;
  line: Values;
  lower?: Values;
  upper?: Values;
  level?: number | null;
  /** Steps. */
  n: number;
  /** The step that is looked at, if one is. */
  at?: number;
  first: number;
  labels?: readonly number[];
  alarms: Trace['alarms'];
}) {
  const { name, text, line, lower, upper, level, n, at, first, labels = [], alarms } = props;
  const all = [line, lower ?? [], upper ?? [], [level ?? null]].flat().filter((v) => v !== null);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const y = (value: number) => (4 + 92 * (1 - (value - low) / (high - low || 1))).toFixed(2);
  const band = lower && upper && bandPath(lower, upper, y);
  const strips = runsOf(labels);
  return (
    <figure class="strip-chart">
      <figcaption>{name}</figcaption>
      <svg viewBox={`0 0 ${n} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={text}>
        <title>{text}</title>
        {strips.map(([from, to]) => (
          <rect key={from} class="labelled" x={from} width={to - from} y={0} height={HEIGHT} />
        ))}
        {band && <path class="usual" d={band} />}
        {level !== undefined && level !== null && <path class="level" d={`M0 ${y(level)}H${n}`} />}
        <path class="line" d={linePath(line, y)} />
        {level !== undefined &&
          alarms.map(({ start, end }) => (
            <rect
              key={start}
              class="alarm"
              x={Math.max(0, start - first)}
              width={Math.max(1, Math.min(n, end - first) - Math.max(0, start - first))}
              y={HEIGHT - 4}
              height={4}
            />
          ))}
        {at !== undefined && <path class="here" d={`M${at + 0.5} 0V${HEIGHT}`} />}
      </svg>
    </figure>
  );
}

function linePath(values: Values, y: (value: number) => string): string {
  let path = '';
  let isOpen = false;
  for (const [t, value] of values.entries()) {
    if (value !== null) path += `${isOpen ? 'L' : 'M'}${t + 0.5} ${y(value)}`;
    isOpen = value !== null;
  }
  return path;
}

function bandPath(lower: Values, upper: Values, y: (value: number) => string): string {
  const known = [...lower.keys()].filter((t) => lower[t] !== null && upper[t] !== null);
  const top = known.map((t) => `${t + 0.5} ${y(upper[t]!)}`);
  const bottom = known.reverse().map((t) => `${t + 0.5} ${y(lower[t]!)}`);
  return top.length === 0 ? '' : `M${[...top, ...bottom].join('L')}Z`;
}

/** Stretches of steps that are labelled. */
function runsOf(labels: readonly number[]): [number, number][] {
  const found: [number, number][] = [];
  for (const [t, label] of labels.entries()) {
    if (label === 0) continue;
    const last = found.at(-1);
    if (last?.[1] === t) last[1] = t + 1;
    else found.push([t, t + 1]);
  }
  return found;
}
