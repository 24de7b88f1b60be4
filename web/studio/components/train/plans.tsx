/** The recommended way to train and three others, with what each costs on this machine. */
import { type Signal, useSignal, useSignalEffect } from '@preact/signals';
import type { Plan, Plans as PlansAnswer } from '../../../../src/studio/jobs/answers.ts';
import { at, get, send } from '../../api.ts';
import { addressOf } from '../../place.ts';
import { memoryText, rangeText, trainWords as say } from '../../words/train.ts';
import { Shown, useAsked } from '../asked.tsx';
import { Command } from '../command.tsx';
import { Link } from '../link.tsx';

export interface PlansProps {
  readonly project: string;
  readonly version: string;
  train(options: Plan['options']): Promise<void>;
  adjust(options: Plan['options']): void;
  /** What is missing before anything can be trained; empty where nothing is. */
  readonly needed: Signal<string>;
}

export function Plans({ project, version, train, adjust, needed }: PlansProps) {
  const path = at(project, `/plans?version=${encodeURIComponent(version)}`);
  const asked = useAsked((signal) => get<PlansAnswer>(path, signal), ['jobs']);
  const fault = useSignal('');
  const isAsking = useSignal(false);
  // Nobody has to ask what the ways cost: it is measured while nothing else is at work.
  useSignalEffect(() => {
    needed.value = asked.value.value?.needed ?? '';
    if (!asked.value.value?.mayMeasure || isAsking.peek()) return;
    isAsking.value = true;
    isOnMains()
      .then((may) => may && send('POST', at(project, '/plans/measure'), { version }))
      .catch((error: Error) => {
        fault.value = error.message;
      })
      .finally(() => {
        isAsking.value = false;
      });
  });
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
            {needed.value && (
              <div class="banner" role="alert">
                <p>{needed.value}</p>
                <p>
                  <Link to={addressOf(project, 'data')}>{say.toLabels}</Link>
                </p>
              </div>
            )}
            <ul class="cards plans">
              {plans.map((plan) => (
                <li key={plan.name} class={plan.name}>
                  <PlanCard
                    plan={plan}
                    isMeasuring={isMeasuring}
                    isBlocked={needed.value !== ''}
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

interface CardProps {
  readonly plan: Plan;
  readonly isMeasuring: boolean;
  readonly isBlocked: boolean;
  train(): void;
  adjust(): void;
}

function PlanCard({ plan, isMeasuring, isBlocked, train, adjust }: CardProps) {
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
          <small>
            {problem !== undefined ? say.noEstimate(problem) : isMeasuring ? say.measuringCost : say.unknownCost}
          </small>
        </p>
      )}
      <p class="row">
        <button type="button" class={name === 'default' ? 'main' : ''} disabled={isBlocked} onClick={train}>
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

/** False on a battery, as far as the browser says it: measuring would drain it for a figure that nobody asked for. */
async function isOnMains(): Promise<boolean> {
  const { getBattery } = navigator as { getBattery?(): Promise<{ readonly charging: boolean }> };
  return (await getBattery?.call(navigator).catch(() => undefined))?.charging ?? true;
}
