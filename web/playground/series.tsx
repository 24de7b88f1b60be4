/** The tab of a sensor series: a good stretch, a detector, a stretch to score, where it stands out. */
import { signal } from '@preact/signals';
import { readSeries, type Series, type SeriesScore } from 'oddity/browser';
import { attempt, openFlow, shown } from './flow.ts';
import { sensorReadings } from './made.ts';
import { Drop, Keep, Maker, type Offer, Threshold, Told } from './parts.tsx';

const flow = openFlow();
const good = signal<Series | undefined>(undefined);
const others = signal<{ series: Series; scored: SeriesScore } | undefined>(undefined);
flow.detector.subscribe(() => {
  others.value = undefined;
});

const offers: readonly Offer[] = [
  { name: 'sub-pca', words: 'Sub-PCA: shapes that repeat' },
  { name: 'kmeans-windows', words: 'k-means of windows: several shapes' },
  { name: 'poly', words: 'Polynomial: smooth signals' },
  { name: 'cnn-forecaster', words: 'Forecaster: learns what comes next' },
];

const read = (files: readonly File[]) =>
  attempt(flow.reading, async () => {
    if (files[0]) good.value = await readSeries(files[0]);
  });

const score = (files: readonly File[]) =>
  attempt(flow.scoring, async () => {
    const detector = flow.detector.value;
    if (!files[0] || !detector) return;
    const series = await readSeries(files[0]);
    others.value = { series, scored: await detector.scoreSeries(series) };
    flow.scoring.said.value = `${stepsOf(series)} steps scored.`;
  });

const stepsOf = ({ values, channels }: Series) => values.length / channels.length;
const timeOf = ({ times }: Series, t: number) =>
  times ? new Date(times[t]).toISOString().slice(0, 16).replace('T', ' ') : `step ${t + 1}`;

interface Span {
  readonly from: number;
  /** The last step. */
  readonly to: number;
  readonly peak: number;
}

/** Stretches at or above the threshold; those that nearly touch are one. */
function spansAbove(scores: Float32Array, threshold: number, gap: number): Span[] {
  const spans: { from: number; to: number; peak: number }[] = [];
  for (const [t, value] of scores.entries()) {
    if (!(value >= threshold)) continue;
    const last = spans.at(-1);
    if (last && t - last.to <= gap) {
      last.to = t;
      last.peak = Math.max(last.peak, value);
    } else spans.push({ from: t, to: t, peak: value });
  }
  return spans;
}

const [ROW, LEFT] = [110, 8];
/** Units of the chart: fewer on a phone, so that its texts can be read. */
const WIDTH = innerWidth < 640 ? 420 : 900;

/** A line through values in a band of the chart, at most two points a pixel. */
function path(values: ArrayLike<number>, top: number, low: number, high: number): string {
  const every = Math.max(1, Math.floor(values.length / (2 * WIDTH)));
  const points: string[] = [];
  for (let t = 0; t < values.length; t += every) {
    if (!Number.isFinite(values[t])) continue;
    const x = LEFT + ((WIDTH - 2 * LEFT) * t) / Math.max(1, values.length - 1);
    const y = top + 18 + (ROW - 24) * (1 - (values[t] - low) / (high - low || 1));
    points.push(`${x.toFixed(1)} ${y.toFixed(1)}`);
  }
  return points.length > 0 ? `M${points.join('L')}` : '';
}

const rangeOf = (values: ArrayLike<number>, more: readonly number[] = []) => {
  let [low, high] = [Math.min(...more, Number.POSITIVE_INFINITY), Math.max(...more, Number.NEGATIVE_INFINITY)];
  for (let t = 0; t < values.length; t++) {
    if (!Number.isFinite(values[t])) continue;
    low = Math.min(low, values[t]);
    high = Math.max(high, values[t]);
  }
  return [low, high] as const;
};

function Chart({ series, scores, spans }: { series: Series; scores: Float32Array; spans: readonly Span[] }) {
  const { channels, values } = series;
  const steps = stepsOf(series);
  const rows = channels.slice(0, 4).map((name, c) => ({
    name,
    values: Float64Array.from({ length: steps }, (_, t) => values[t * channels.length + c]),
  }));
  const height = ROW * (rows.length + 1);
  const x = (t: number) => LEFT + ((WIDTH - 2 * LEFT) * t) / Math.max(1, steps - 1);
  const [low, high] = rangeOf(scores, [flow.threshold.value]);
  const line = ROW * rows.length + 18 + (ROW - 24) * (1 - (flow.threshold.value - low) / (high - low || 1));
  const text = `${rows.map(({ name }) => name).join(', ')} and the score over ${steps} steps; ${spans.length} stretches above the threshold`;
  return (
    <svg class="chart" viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={text}>
      {spans.map(({ from, to }) => (
        <rect
          key={from}
          x={x(from) - 1}
          width={x(to) - x(from) + 2}
          y="0"
          height={height}
          fill="var(--anomalous)"
          opacity="0.22"
        />
      ))}
      {rows.map((row, r) => (
        <g key={row.name}>
          <text x={LEFT} y={ROW * r + 14}>
            {row.name}
          </text>
          <path
            d={path(row.values, ROW * r, ...rangeOf(row.values))}
            fill="none"
            stroke="var(--normal)"
            stroke-width="1.4"
          />
        </g>
      ))}
      <text x={LEFT} y={ROW * rows.length + 14}>
        score, with the threshold
      </text>
      <path d={path(scores, ROW * rows.length, low, high)} fill="none" stroke="var(--text)" stroke-width="1.4" />
      <line
        x1={LEFT}
        x2={WIDTH - LEFT}
        y1={line}
        y2={line}
        stroke="var(--anomalous)"
        stroke-dasharray="6 4"
        stroke-width="1.6"
      />
    </svg>
  );
}

function Results() {
  const { series, scored } = others.value!;
  const window = flow.detector.value?.shape[0] ?? 1;
  const spans = spansAbove(scored.scores, flow.threshold.value, window);
  return (
    <>
      <div class="sliders">
        <Threshold flow={flow} scores={Array.from(scored.scores)} what="steps" />
      </div>
      <Chart series={series} scores={scored.scores} spans={spans} />
      <p>
        {spans.length === 0 ? 'No stretch is above the threshold.' : `Stretches above the threshold: ${spans.length}`}
      </p>
      {spans.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard.
        <section class="scroll" tabIndex={0} aria-label="Stretches above the threshold">
          <table>
            <thead>
              <tr>
                <th scope="col">From</th>
                <th scope="col">To</th>
                <th scope="col" class="number">
                  Highest score
                </th>
              </tr>
            </thead>
            <tbody>
              {spans.map(({ from, to, peak }) => (
                <tr key={from}>
                  <td>{timeOf(series, from)}</td>
                  <td>{timeOf(series, to)}</td>
                  <td class="number">{shown(peak)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </>
  );
}

export function SensorSeries() {
  const { value: known } = good;
  return (
    <>
      <section class="step" aria-labelledby="good-series">
        <h2 id="good-series">1. Show what is good</h2>
        <p>A CSV file with a column of times and one or more columns of readings, from a time when all was well.</p>
        <Drop label="CSV of good readings" accept=".csv,.tsv,text/csv" onFiles={read} />
        <div class="line">
          <button type="button" onClick={() => read([sensorReadings(14, false)])}>
            Use made-up readings
          </button>
        </div>
        <Told telling={flow.reading} />
        <p aria-live="polite">{known && `${known.id}: ${stepsOf(known)} steps of ${known.channels.join(', ')}`}</p>
      </section>
      <Maker
        flow={flow}
        kind="series"
        offers={offers}
        missing={known ? '' : 'Add good readings first.'}
        onMake={(model, device) => flow.make(model, good.value!, device)}
      />
      <section class="step" aria-labelledby="score-series">
        <h2 id="score-series">3. Score others</h2>
        {flow.detector.value ? (
          <>
            <Drop label="CSV of readings to score" accept=".csv,.tsv,text/csv" onFiles={score} />
            <div class="line">
              <button type="button" onClick={() => score([sensorReadings(12, true)])}>
                Score made-up readings
              </button>
            </div>
            <Told telling={flow.scoring} />
            {others.value && <Results />}
          </>
        ) : (
          <p class="soft">Make or open a detector first.</p>
        )}
      </section>
      <Keep flow={flow} number={4} />
    </>
  );
}
