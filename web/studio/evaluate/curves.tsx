/** ROC and precision–recall curves; the point of the threshold moves on them, the curves themselves are drawn once. */
import { useComputed } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { fixed, percent } from '../numbers.ts';
import { evaluateWords } from '../words/evaluate.ts';
import type { Choice } from './histogram.tsx';
import { type Model, thin } from './model.ts';

const words = evaluateWords.curves;

export function Curves({ model, choice }: { model: Model; choice: Choice }) {
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
    </div>
  );
}

function Curve(props: {
  title: string;
  text: string;
  path: string;
  chance: string;
  at?: readonly [x: number, y: number];
  axes: readonly [x: string, y: string];
}) {
  const { title, text, path, chance, at, axes } = props;
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
              {v} %
            </text>
          </g>
        ))}
        <text x={50} y={113} text-anchor="middle">
          {axes[0]}
        </text>
        <text transform="translate(-11 50) rotate(-90)" text-anchor="middle">
          {axes[1]} (%)
        </text>
        <path class="chance" d={chance} />
        <path class="line" d={path} />
        {at && <circle cx={100 * at[0]} cy={100 * (1 - at[1])} r={2.6} />}
      </svg>
    </figure>
  );
}
