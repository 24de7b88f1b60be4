/** What errors cost at the threshold, and the threshold at which they cost least on the test set. */
import { useComputed, useSignal } from '@preact/signals';
import { thresholdForCost } from 'oddity/metrics';
import { raw } from '../numbers.ts';
import { evaluateWords } from '../words/evaluate.ts';
import type { Choice } from './histogram.tsx';
import type { Model } from './model.ts';

const words = evaluateWords.costs;

/** Costs in any one unit, and the share of anomalous items in use. */
export interface Costs {
  readonly falseAlarm: number;
  readonly miss: number;
  readonly prevalence: number;
}

export function CostPanel({
  model,
  choice,
  onCheapest,
}: {
  model: Model;
  choice: Choice;
  onCheapest(threshold: number, costs: Costs): void;
}) {
  const { anomalies } = model.points;
  const hasBoth = anomalies.length > 0 && anomalies.length < model.scores.length;
  const share = anomalies.length / Math.max(1, model.scores.length);
  const costs = useSignal<Costs>({ falseAlarm: 1, miss: 10, prevalence: Number(share.toPrecision(3)) });
  const cheapest = useComputed(() => {
    try {
      return thresholdForCost(model.scores, model.labels, costs.value);
    } catch (error) {
      return (error as Error).message;
    }
  });
  const found = cheapest.value;
  const { falseAlarm, miss, prevalence } = costs.value;
  const { missRate, falseAlarmRate } = model.points.at(choice.threshold.value);
  const here = prevalence * miss * (missRate ?? 0) + (1 - prevalence) * falseAlarm * (falseAlarmRate ?? 0);
  const thousand = (cost: number) => raw(1000 * cost, 4);
  const field = (name: keyof Costs, label: string, scale = 1) => (
    <label>
      {label}{' '}
      <input
        type="number"
        min={0}
        step="any"
        value={Number((scale * costs.value[name]).toPrecision(6))}
        onChange={({ currentTarget }) => {
          if (currentTarget.value !== '') costs.value = { ...costs.value, [name]: currentTarget.valueAsNumber / scale };
        }}
      />
    </label>
  );
  return (
    <section>
      <h2>{words.title}</h2>
      <p class="soft">{hasBoth ? words.about : words.needsBoth}</p>
      {hasBoth && (
        <div class="row">
          {field('falseAlarm', words.falseAlarm)}
          {field('miss', words.miss)}
          {field('prevalence', words.prevalence, 100)}
        </div>
      )}
      {!hasBoth ? null : typeof found === 'string' ? (
        <p role="alert">{found}</p>
      ) : found.threshold === null || !found.expectedCost ? (
        <p>{found.reason}</p>
      ) : (
        <>
          <p>
            <b>{words.here(thousand(here))}</b>{' '}
            {words.cheapest(raw(found.threshold), thousand(found.expectedCost.here))}{' '}
            {words.ends(thousand(found.expectedCost.neverAlarming), thousand(found.expectedCost.alwaysAlarming))}{' '}
            {found.reason}
          </p>
          <button type="button" onClick={() => onCheapest(found.threshold!, costs.value)}>
            {words.go}
          </button>
        </>
      )}
    </section>
  );
}
