/** A threshold by a rule of the library, and making one that of the run. */
import { useSignal } from '@preact/signals';
import type { ThresholdPolicy } from '../../../src/runs/index.ts';
import type { ThresholdAnswer, ThresholdRequest } from '../../../src/studio/evaluate/answers.ts';
import { at, send } from '../api.ts';
import { Command } from '../components/command.tsx';
import { raw } from '../numbers.ts';
import { evaluateWords } from '../words/evaluate.ts';

const words = evaluateWords.choose;

/** Asks the server for a threshold, as the library chooses it. */
export const askThreshold = (project: string, run: string, request: ThresholdRequest): Promise<ThresholdAnswer> =>
  send('POST', at(project, `/runs/${encodeURIComponent(run)}/threshold`), request);

/** What rules need, as the form has it; rates in percent. */
interface Form {
  readonly rate: number;
  readonly high: number;
  readonly beta: number;
  readonly perDay: number;
}

type Rule = keyof typeof words.rules;

const policiesOf: Readonly<Record<Exclude<Rule, 'cost'>, (form: Form) => ThresholdPolicy[]>> = {
  'false-alarm-rate': ({ rate }) => [{ by: 'false-alarm-rate', rate: rate / 100 }],
  'miss-rate': ({ rate }) => [{ by: 'miss-rate', rate: rate / 100 }],
  'f-beta': ({ beta }) => [{ by: 'f-beta', beta }],
  'alarm-rate': ({ perDay }) => [{ by: 'alarm-rate', rate: perDay, per: 'day' }],
  band: ({ rate, high }) => [
    { by: 'false-alarm-rate', rate: rate / 100 },
    { by: 'false-alarm-rate', rate: high / 100 },
  ],
};

export function Choose(props: {
  project: string;
  run: string;
  isSeries: boolean;
  onFound(policies: readonly ThresholdPolicy[], answer: ThresholdAnswer): void;
}) {
  const { project, run, isSeries, onFound } = props;
  const rule = useSignal<Exclude<Rule, 'cost'>>('false-alarm-rate');
  const form = useSignal<Form>({ rate: 1, high: 5, beta: 1, perDay: 1 });
  const answer = useSignal<ThresholdAnswer | undefined>(undefined);
  const fault = useSignal('');
  const rules = (Object.keys(policiesOf) as (keyof typeof policiesOf)[]).filter(
    (name) => isSeries || name !== 'alarm-rate',
  );
  const field = (name: keyof Form, label: string) => (
    <label>
      {label}{' '}
      <input
        type="number"
        step="any"
        min={0}
        value={form.value[name]}
        onInput={({ currentTarget }) => {
          form.value = { ...form.value, [name]: currentTarget.valueAsNumber };
        }}
      />
    </label>
  );
  const find = async (event: Event) => {
    event.preventDefault();
    const policies = policiesOf[rule.value](form.value);
    try {
      answer.value = await askThreshold(project, run, { policies });
      fault.value = '';
      onFound(policies, answer.value);
    } catch (error) {
      fault.value = (error as Error).message;
    }
  };
  const { value: name } = rule;
  const found = answer.value?.threshold;
  return (
    <section>
      <h2>{words.title}</h2>
      <form class="row" onSubmit={find}>
        <label>
          {words.by}{' '}
          <select
            value={name}
            onChange={({ currentTarget }) => {
              rule.value = currentTarget.value as typeof name;
            }}
          >
            {rules.map((one) => (
              <option key={one} value={one}>
                {words.rules[one]}
              </option>
            ))}
          </select>
        </label>
        {(name === 'false-alarm-rate' || name === 'miss-rate') && field('rate', words.rate)}
        {name === 'band' && [field('rate', words.low), field('high', words.high)]}
        {name === 'f-beta' && field('beta', words.beta)}
        {name === 'alarm-rate' && field('perDay', words.perDay)}
        <button type="submit">{words.find}</button>
      </form>
      <div role="status">
        {fault.value && <p class="fault">{fault.value}</p>}
        {found?.value !== undefined && found.value !== null && (
          <p>
            {words.found(raw(found.value, 5), found.rule)} {found.reason}
          </p>
        )}
      </div>
      {answer.value && <Command text={answer.value.command} />}
    </section>
  );
}
