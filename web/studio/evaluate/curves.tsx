/** ROC, precision–recall and per-region overlap curves; the point of the threshold moves on the first two, the curves themselves are drawn once. */
import { useComputed } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { RunAnswer } from '../../../src/studio/evaluate/answers.ts';
import { fixed, percent } from '../numbers.ts';
import { evaluateWords } from '../words/evaluate.ts';
import type { Choice } from './histogram.tsx';
import { type Model, thin } from './model.ts';

const words = evaluateWords.curves;

export function Curves({ model, choice, report }: { model: Model; choice: Choice; report: RunAnswer['report'] }) {
  const { roc, pr, points } = model;
  const paths = useMemo(
    () => ({
      roc: roc && thin(roc.falseAlarmRate, roc.recall),
      pr: pr && thin(pr.recall, pr.precision, true),
    }),
    [roc, pr],
  );
  const point = useComputed(() => points.at(choice.threshold.value));
  if (!roc || !pr) return <p class="soft">{words.none}</p>;
  const prevalence = pr.precision[pr.precision.length - 1];
  const { recall, precision, falseAlarmRate } = point.value;
  return (
    <div class="curves">
      <Curve
        title={words.roc}
        text={words.rocText(fixed(roc.area), percent(recall), percent(falseAlarmRate))}
        path={paths.roc!}
        chance="M0 100L100 0"
        at={[falseAlarmRate ?? 0, recall ?? 0]}
        axes={[words.rate, words.recall]}
      />
      <Curve
        title={words.pr}
        text={words.prText(fixed(pr.area), percent(precision), percent(recall))}
        path={paths.pr!}
        chance={`M0 ${100 * (1 - prevalence)}H100`}
        at={precision === null ? undefined : [recall ?? 0, precision]}
        axes={[words.recall, words.precision]}
      />
      <OverlapCurveOf report={report} />
    </div>
  );
}

/** How much of the masks the maps cover, against the pixels outside of them that reach the same value. */
function OverlapCurveOf({ report: { curves, metrics, reasons } }: Pick<RunAnswer, 'report'>) {
  const curve = curves?.aupro;
  const area = metrics.map?.aupro;
  if (!curve) {
    const why = area === undefined ? undefined : area === null ? reasons.map?.aupro : words.pro.notKept;
    return why ? <p class="soft">{words.pro.without(why)}</p> : null;
  }
  const { limit, falsePositiveRate, overlap, at } = curve;
  const end = percent(limit);
  const point =
    at === null
      ? words.pro.noThreshold
      : at[0] > limit
        ? words.pro.beyond(percent(at[1]), percent(at[0]))
        : words.pro.point(percent(at[1]), percent(at[0]));
  return (
    <Curve
      title={words.pro.title}
      text={`${words.pro.area(fixed(area), end)} ${point}`}
      path={thin(
        falsePositiveRate.map((rate) => rate / limit),
        overlap,
      )}
      chance={`M0 100L100 ${100 * (1 - limit)}`}
      at={at === null || at[0] > limit ? undefined : [at[0] / limit, at[1]]}
      axes={[words.pro.rate, words.pro.overlap]}
      ticks={[0, limit / 2, limit].map((rate) => `${100 * rate} %`)}
    />
  );
}

export function Curve(props: {
  title: string;
  text: string;
  path: string;
  chance?: string;
  at?: readonly [x: number, y: number];
  axes: readonly [x: string, y: string];
  /** At the left end, in the middle and at the right end of the axis below. */
  ticks?: readonly string[];
  /** A second line. */
  second?: string;
}) {
  const { title, text, path, chance, at, axes, ticks = ['0 %', '50 %', '100 %'], second } = props;
  return (
    <figure class="curve">
      <figcaption>
        <b>{title}</b>
        <span class="soft">{text}</span>
      </figcaption>
      <svg viewBox="-15 -4 120 118" role="img" aria-label={`${title}. ${text}`}>
        <title>{title}</title>
        {[0, 25, 50, 75, 100].map((v) => (
          <path key={v} class="grid" d={`M0 ${v}H100`} />
        ))}
        {[0, 50, 100].map((v) => (
          <g key={v}>
            <text x={-2} y={100 - v + 1.8} text-anchor="end">
              {v}
            </text>
            <text x={v} y={106.5} text-anchor={v === 0 ? 'start' : v === 100 ? 'end' : 'middle'}>
              {ticks[v / 50]}
            </text>
          </g>
        ))}
        <text x={50} y={113} text-anchor="middle">
          {axes[0]}
        </text>
        <text transform="translate(-11 50) rotate(-90)" text-anchor="middle">
          {axes[1]} (%)
        </text>
        {chance && <path class="chance" d={chance} />}
        {second && <path class="line second" d={second} />}
        <path class="line" d={path} />
        {at && <circle cx={100 * at[0]} cy={100 * (1 - at[1])} r={2.6} />}
      </svg>
    </figure>
  );
}
