/** The recommended way to train and three others, with what each costs on this machine. */
import { useSignal } from '@preact/signals';
import type { Plan, Plans as PlansAnswer } from '../../../../src/studio/jobs/answers.ts';
import { at, get, send } from '../../api.ts';
import { memoryText, rangeText, trainWords as say } from '../../words/train.ts';
import { Shown, useAsked } from '../asked.tsx';
import { Command } from '../command.tsx';

export interface PlansProps {
  readonly project: string;
  readonly version: string;
  train(options: Plan['options']): Promise<void>;
  adjust(options: Plan['options']): void;
}

export function Plans({ project, version, train, adjust }: PlansProps) {
  const path = at(project, `/plans?version=${encodeURIComponent(version)}`);
  const asked = useAsked((signal) => get<PlansAnswer>(path, signal), ['jobs']);
  const fault = useSignal('');
  const attempt = (work: Promise<unknown>) => {
    fault.value = '';
    work.catch((error: Error) => {
      fault.value = error.message;
    });
  };
  return (
    <section>
      <h2>{say.plans}</h2>
      {fault.value && (
        <p class="banner" role="alert">
          {fault.value}
        </p>
      )}
      <Shown asked={asked}>
        {({ plans, isMeasuring }) => (
          <>
            <ul class="cards plans">
              {plans.map((plan) => (
                <li key={plan.name} class={plan.name}>
                  <PlanCard
                    plan={plan}
                    train={() => attempt(train(plan.options))}
                    adjust={() => adjust(plan.options)}
                  />
                </li>
              ))}
            </ul>
            {isMeasuring ? (
              <p role="status">{say.measuring}</p>
            ) : (
              plans.every(({ estimate, problem }) => !estimate && !problem) && (
                <p class="row">
                  <button
                    type="button"
                    onClick={() => attempt(send('POST', at(project, '/plans/measure'), { version }))}
                  >
                    {say.measure}
                  </button>
                  <small>{say.measureAbout}</small>
                </p>
              )
            )}
          </>
        )}
      </Shown>
    </section>
  );
}

function PlanCard({ plan, train, adjust }: { plan: Plan; train(): void; adjust(): void }) {
  const { name, options, reason, command, estimate, problem } = plan;
  const title = say.planNames[name];
  const size = options.size as readonly number[] | undefined;
  return (
    <>
      <h3>{title}</h3>
      <p class="soft">
        {String(options.model ?? say.chosen)}
        {size && `, ${size.join(' × ')} px`}
      </p>
      <p>{reason}</p>
      {estimate ? (
        <>
          <dl class="figures">
            <div>
              <dt>{say.time}</dt>
              <dd>{rangeText(...estimate.seconds)}</dd>
            </div>
            <div>
              <dt>{say.memory}</dt>
              <dd>
                {memoryText(estimate.memory[0])} to {memoryText(estimate.memory[1])}
              </dd>
            </div>
          </dl>
          <details>
            <summary>
              <small>
                {say.estimateHow}
                <span class="hidden">: {title}</span>
              </small>
            </summary>
            <small>{estimate.how}</small>
          </details>
        </>
      ) : (
        <p>
          <small>{problem === undefined ? say.unknownCost : say.noEstimate(problem)}</small>
        </p>
      )}
      <p class="row">
        <button type="button" class={name === 'default' ? 'main' : ''} onClick={train}>
          {say.begin(title)}
        </button>
        <button type="button" class="plain" onClick={adjust} aria-label={say.ofJob(say.adjust, title)}>
          {say.adjust}
        </button>
      </p>
      {command !== undefined && <Command text={command} about={title} />}
    </>
  );
}
