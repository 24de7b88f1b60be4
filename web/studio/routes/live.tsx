/** Live: what is watched, the camera of the browser, and the alarms with what people said of them. */
import { useComputed, useSignal } from '@preact/signals';
import type { ProjectFacts } from '../../../src/studio/answers.ts';
import type { WatchSetup } from '../../../src/studio/live/setup.ts';
import type { ShownAlarm, ShownAlarmPage, ShownWatch } from '../../../src/studio/routes/live.ts';
import { at, get, send } from '../api.ts';
import { Shown, useAsked } from '../components/asked.tsx';
import { Command } from '../components/command.tsx';
import { Camera } from '../components/live/camera.tsx';
import { LiveTraceView } from '../components/live/live-trace.tsx';
import { Strip } from '../components/live/strip.tsx';
import { WatchForm } from '../components/live/watch-form.tsx';
import { NoRun } from '../components/no-run.tsx';
import { chosenRun, RunChoice, useRuns } from '../components/run-choice.tsx';
import { useFresh } from '../evaluate/fresh.ts';
import { many, moment, percent, raw } from '../numbers.ts';
import { usualText } from '../viewer/reasons.tsx';
import { liveWords as say } from '../words/live.ts';
import { words } from '../words.ts';
import './live.css';

export function LivePage({ project }: { project: string }) {
  const runs = useRuns(project);
  const run = useComputed(() => chosenRun(runs.value.value));
  useFresh(run.value);
  const facts = useAsked((signal) => get<ProjectFacts>(at(project), signal));
  const kind = facts.value.value?.kind;
  const isOfRows = kind === 'series' || kind === 'table';
  return (
    <>
      <h1>{words.sections.live}</h1>
      <p>{say.lead}</p>
      <Shown asked={runs}>
        {(list) =>
          list.length === 0 ? (
            <NoRun project={project} />
          ) : (
            <>
              <RunChoice runs={list} label={say.run} />
              <div class="pair">
                <div>
                  <WatchList project={project} />
                  {(facts.value.value || facts.fault.value) && (
                    <WatchForm project={project} run={run.value!} sources={sourcesOf(kind)} />
                  )}
                </div>
                {!isOfRows && <Camera project={project} run={run.value!} />}
              </div>
            </>
          )
        }
      </Shown>
      <Alarms project={project} />
    </>
  );
}

/** What suits the data of a project; everything where these are not known, as when its runs came from elsewhere. */
function sourcesOf(kind: ProjectFacts['kind']): readonly WatchSetup['source'][] {
  if (kind === 'table' || kind === 'series') return ['log'];
  return kind === 'image' ? ['folder', 'camera'] : ['folder', 'camera', 'log'];
}

function WatchList({ project }: { project: string }) {
  const asked = useAsked((signal) => get<readonly ShownWatch[]>(at(project, '/watches'), signal), ['live']);
  return (
    <section>
      <h2>{say.watches}</h2>
      <Shown asked={asked}>
        {(list) =>
          list.length === 0 ? (
            <p class="soft">{say.none}</p>
          ) : (
            list.map((one) => <Watch key={one.id} project={project} listed={one} />)
          )
        }
      </Shown>
    </section>
  );
}

/** A watch, which hears of its own progress: the list has its state. */
function Watch({ project, listed }: { project: string; listed: ShownWatch }) {
  const { id, setup, state, error, command } = listed;
  const path = at(project, `/watches/${id}`);
  const seen = useAsked(
    (signal) => get<ShownWatch>(path, signal),
    ({ topic, data }) => {
      const about = data as { id?: string; watch?: string } | null;
      return (topic === 'progress' && about?.watch === id) || (topic === 'live' && about?.id === id);
    },
  );
  const now = seen.value.value ?? listed;
  const { scored, anomalies, failed, strip, threshold, last, drift, remark, items = 'steps' } = now;
  const isLog = setup.source === 'log';
  return (
    <article class="panel" aria-label={setup.place}>
      <h3>{setup.place}</h3>
      <p class="soft">
        {say.sources[setup.source]}, {setup.run}: <strong>{say.states[state]}</strong>
      </p>
      {error && <p class="banner">{error}</p>}
      {remark && <p class="banner mild">{remark}</p>}
      <p>
        {isLog
          ? say.logCounts(many(scored, say.logItems[items][0], say.logItems[items][1]), anomalies, failed)
          : say.counts(scored, anomalies, failed)}
      </p>
      {isLog ? <LiveTraceView path={path} id={id} items={items} /> : <Strip scores={strip} threshold={threshold} />}
      {last?.score !== undefined && <p class="soft">{say.last(last.path, raw(last.score))}</p>}
      {drift && (
        <p class={drift.isDrifting ? 'banner mild' : 'soft'}>
          {say.drift(percent(drift.share), percent(drift.interval[0]), percent(drift.interval[1]), drift.items)}{' '}
          {drift.isDrifting && say.drifting}
        </p>
      )}
      <div class="row">
        {state === 'running' ? (
          <button type="button" onClick={() => send('POST', `${path}/stop`)}>
            {say.stop}
          </button>
        ) : (
          <button type="button" onClick={() => send('POST', `${path}/start`)}>
            {say.start}
          </button>
        )}
        <button type="button" onClick={() => send('DELETE', path)}>
          {say.remove}
        </button>
      </div>
      <Command text={command} />
    </article>
  );
}

const reasonOf = ({ name, cell, usual, share }: NonNullable<ShownAlarm['reasons']>[number]) =>
  say.reason(name, cell === '' ? say.missing : (cell ?? ''), usual && usualText(usual), percent(share));

const PAGE = 50;

function Alarms({ project }: { project: string }) {
  const isOpen = useSignal(false);
  const count = useSignal(PAGE);
  const fault = useSignal('');
  const asked = useAsked(
    (signal) => get<ShownAlarmPage>(at(project, `/alarms?count=${count.value}&open=${isOpen.value}`), signal),
    ['alarms'],
  );
  const answer = async (id: number, body: object) => {
    fault.value = '';
    await send('POST', at(project, `/alarms/${id}`), body).catch((error: Error) => {
      fault.value = error.message;
    });
  };
  return (
    <section>
      <h2>{say.alarms}</h2>
      {fault.value && (
        <p class="banner" role="alert">
          {fault.value}
        </p>
      )}
      <Shown asked={asked}>
        {({ alarms, total, open, false: wrong }) => (
          <>
            <p role="status">{say.alarmCounts(total, open, wrong)}</p>
            <label>
              <input
                type="checkbox"
                checked={isOpen.value}
                onChange={() => {
                  isOpen.value = !isOpen.value;
                }}
              />{' '}
              {say.onlyOpen}
            </label>
            {alarms.length === 0 ? (
              <p class="soft">{say.noAlarms}</p>
            ) : (
              // biome-ignore lint/a11y/noNoninteractiveTabindex: a part that scrolls must be reachable by the keyboard.
              <section class="scroll" tabIndex={0} aria-label={say.alarms}>
                <table class="alarms">
                  <thead>
                    <tr>
                      <th scope="col" class="wide">
                        {say.time}
                      </th>
                      <th scope="col">{say.item}</th>
                      <th scope="col" class="n wide">
                        {say.score}
                      </th>
                      <th scope="col">{say.said}</th>
                    </tr>
                  </thead>
                  <tbody>
                    {alarms.map(({ id, at: time, item, score, overlay, reasons, acknowledgedAt, label, command }) => (
                      <tr key={id}>
                        <td class="time wide">{moment(time)}</td>
                        <td>
                          {overlay && (
                            <img
                              loading="lazy"
                              src={`/api${at(project, `/alarms/${id}/picture`)}`}
                              alt={say.picture(item.split('/').at(-1)!)}
                            />
                          )}
                          <div class="narrow">
                            <b>{moment(time)}</b>
                            {score !== null && `, ${say.score.toLowerCase()} ${raw(score)}`}
                          </div>
                          <div>{item}</div>
                          {reasons?.map((one) => (
                            <div key={one.name} class="soft">
                              {reasonOf(one)}
                            </div>
                          ))}
                        </td>
                        <td class="n wide">{score === null ? '' : raw(score)}</td>
                        <td>
                          <div class="row">
                            <button
                              type="button"
                              aria-pressed={label === 'normal'}
                              onClick={() => answer(id, { label: label === 'normal' ? null : 'normal' })}
                            >
                              {say.isNormal}
                            </button>
                            <button
                              type="button"
                              aria-pressed={label === 'anomalous'}
                              onClick={() => answer(id, { label: label === 'anomalous' ? null : 'anomalous' })}
                            >
                              {say.isAnomalous}
                            </button>
                            {acknowledgedAt === null && (
                              <button type="button" onClick={() => answer(id, {})}>
                                {say.seen}
                              </button>
                            )}
                          </div>
                          {command && <Command text={command} />}
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </section>
            )}
            {alarms.length === count.value && (
              <button
                type="button"
                onClick={() => {
                  count.value += PAGE;
                }}
              >
                {say.more}
              </button>
            )}
          </>
        )}
      </Shown>
    </section>
  );
}
