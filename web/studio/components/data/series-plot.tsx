/** The steps of a series, channel under channel, with the stretches that are labelled: drag over a plot, or type numbers, to add one. */
import { useSignal } from '@preact/signals';
import type { SeriesView, Stretch } from '../../../../src/studio/answers-data.ts';
import { at, get, send } from '../../api.ts';
import { raw } from '../../numbers.ts';
import { dataWords as say } from '../../words/data.ts';
import { Shown, useAsked } from '../asked.tsx';
import type { DataStore } from './store.ts';

/** Columns that a plot is made of, and heights in its units. */
const WIDTH = 1000;
const HEIGHT = 120;

export function SeriesPlot({ store, id }: { store: DataStore; id: number }) {
  const { project } = store;
  const view = useSignal<readonly [number, number] | undefined>(undefined);
  const [fault, dragged] = [useSignal(''), useSignal<readonly [number, number] | undefined>(undefined)];
  const asked = useAsked(
    (signal) => {
      const [from, to] = view.value ?? [];
      const range = from === undefined ? '' : `&from=${from}&to=${to}`;
      return get<SeriesView>(at(project, `/items/${id}/series?width=${WIDTH}${range}`), signal);
    },
    ['items'],
  );
  const put = async (stretches: readonly Stretch[]) => {
    try {
      await send('PUT', at(project, `/items/${id}/stretches`), { stretches });
      fault.value = '';
    } catch (error) {
      fault.value = (error as Error).message;
    }
  };
  return (
    <Shown asked={asked}>
      {(found) => {
        const { from, to, steps, times, channels, stretches } = found;
        const add = (begin: number, end: number) => {
          if (!(begin >= 0 && end > begin && end <= steps)) {
            fault.value = say.badStretch;
            return;
          }
          void put(joined([...stretches, { begin, end, label: 'anomalous' }]));
        };
        const look = (begin: number, end: number) => {
          const length = Math.max(10, Math.min(steps, Math.round(end - begin)));
          const first = Math.max(0, Math.min(steps - length, Math.round(begin)));
          view.value = length === steps ? undefined : [first, first + length];
        };
        const [length, middle] = [to - from, (from + to) / 2];
        const stepAt = (event: PointerEvent) => {
          const { left, width } = (event.currentTarget as Element).getBoundingClientRect();
          return Math.max(from, Math.min(to, Math.round(from + ((event.clientX - left) / width) * length)));
        };
        return (
          <div class="series">
            <div class="row">
              <span>{say.steps(from, to, steps)}</span>
              {times && <span class="soft">{say.times(timeText(times[0]), timeText(times[1]))}</span>}
              <button type="button" onClick={() => look(middle - length / 4, middle + length / 4)}>
                {say.zoomIn}
              </button>
              <button type="button" disabled={length === steps} onClick={() => look(middle - length, middle + length)}>
                {say.zoomOut}
              </button>
              <button type="button" disabled={from === 0} onClick={() => look(from - length / 2, to - length / 2)}>
                {say.earlier}
              </button>
              <button type="button" disabled={to === steps} onClick={() => look(from + length / 2, to + length / 2)}>
                {say.later}
              </button>
              <button type="button" disabled={length === steps} onClick={() => look(0, steps)}>
                {say.whole}
              </button>
            </div>
            <p class="soft">{say.drag}</p>
            <div
              class="plots"
              onPointerDown={(event) => {
                event.currentTarget.setPointerCapture(event.pointerId);
                const step = stepAt(event);
                dragged.value = [step, step];
              }}
              onPointerMove={(event) => {
                if (dragged.peek()) dragged.value = [dragged.peek()![0], stepAt(event)];
              }}
              onPointerUp={() => {
                const [a, b] = dragged.peek() ?? [0, 0];
                dragged.value = undefined;
                if (Math.abs(a - b) >= 1) add(Math.min(a, b), Math.max(a, b));
              }}
            >
              {channels.map((channel) => (
                <Channel key={channel.name} channel={channel} view={found} dragged={dragged.value} />
              ))}
            </div>
            {fault.value && (
              <p class="banner" role="alert">
                {fault.value}
              </p>
            )}
            <Stretches view={found} onAdd={add} onPut={put} onLook={look} />
          </div>
        );
      }}
    </Shown>
  );
}

const timeText = (time: number) => new Date(time).toISOString().slice(0, 19).replace('T', ' ');

/** Stretches in order; those that touch become one. */
function joined(stretches: readonly Stretch[]): Stretch[] {
  const out: Stretch[] = [];
  for (const one of [...stretches].sort((a, b) => a.begin - b.begin)) {
    const last = out.at(-1);
    if (last && last.label === one.label && one.begin <= last.end)
      out[out.length - 1] = { ...last, end: Math.max(last.end, one.end) };
    else out.push(one);
  }
  return out;
}

interface ChannelProps {
  readonly channel: SeriesView['channels'][number];
  readonly view: SeriesView;
  readonly dragged: readonly [number, number] | undefined;
}

function Channel({ channel: { name, low, high }, view: { from, to, stretches }, dragged }: ChannelProps) {
  const values = [...low, ...high].filter((value) => value !== null);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const x = (step: number) => ((Math.max(from, Math.min(to, step)) - from) / (to - from)) * WIDTH;
  const y = (value: number) => HEIGHT - 4 - ((value - least) / (most - least || 1)) * (HEIGHT - 8);
  const column = WIDTH / low.length;
  const lines = low.map((value, i) => {
    const top = high[i];
    if (value === null || top === null) return '';
    const at = ((i + 0.5) * column).toFixed(1);
    const isFirst = i === 0 || low[i - 1] === null;
    return `${isFirst ? 'M' : 'L'}${at},${y(value).toFixed(1)}${top > value ? `L${at},${y(top).toFixed(1)}` : ''}`;
  });
  const bands = [
    ...stretches
      .filter(({ begin, end }) => end > from && begin < to)
      .map(({ begin, end }) => [begin, end, 'band'] as const),
    ...(dragged ? [[Math.min(...dragged), Math.max(...dragged), 'band new'] as const] : []),
  ];
  return (
    <figure>
      <figcaption>
        {name} <span class="soft">{`${raw(least)} to ${raw(most)}`}</span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={say.plot(name)}>
        {bands.map(([begin, end, kind]) => (
          <rect
            key={`${begin} ${kind}`}
            class={kind}
            x={x(begin)}
            width={Math.max(1.5, x(end) - x(begin))}
            y={0}
            height={HEIGHT}
          />
        ))}
        <path d={lines.join('')} vector-effect="non-scaling-stroke" />
      </svg>
    </figure>
  );
}

interface StretchesProps {
  readonly view: SeriesView;
  onAdd(begin: number, end: number): void;
  onPut(stretches: readonly Stretch[]): Promise<void>;
  onLook(begin: number, end: number): void;
}

function Stretches({ view: { stretches }, onAdd, onPut, onLook }: StretchesProps) {
  return (
    <section>
      <h2>{say.stretches}</h2>
      {stretches.length === 0 && <p class="soft">{say.noStretches}</p>}
      <ul class="plainlist">
        {stretches.map(({ begin, end, label }) => (
          <li key={begin} class="row">
            <span class={label}>
              ▲ {say.labels[label]}: {say.stretch(begin, end)}
            </span>
            <button type="button" onClick={() => onLook(begin - (end - begin) * 4, end + (end - begin) * 4)}>
              {say.goTo}
              <span class="hidden"> {say.stretch(begin, end)}</span>
            </button>
            <button type="button" onClick={() => void onPut(stretches.filter((one) => one.begin !== begin))}>
              {say.remove}
              <span class="hidden"> {say.stretch(begin, end)}</span>
            </button>
          </li>
        ))}
      </ul>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          const data = new FormData(event.currentTarget);
          onAdd(Number(data.get('first')), Number(data.get('last')) + 1);
          event.currentTarget.reset();
        }}
      >
        <label>
          {say.first} <input type="number" name="first" min={0} required />
        </label>
        <label>
          {say.last} <input type="number" name="last" min={0} required />
        </label>
        <button type="submit">{say.addStretch}</button>
      </form>
    </section>
  );
}
