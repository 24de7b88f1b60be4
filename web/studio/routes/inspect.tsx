/** Inspect: one item after the other, the worst errors first: what the detector saw, why, and what a person says of it. */
import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { ScoresAnswer } from '../../../src/studio/evaluate/answers.ts';
import type { FeedbackAnswer, FeedbackRequest, ItemAnswer } from '../../../src/studio/inspect/answers.ts';
import { at, get, send } from '../api.ts';
import { Shown, useAsked } from '../components/asked.tsx';
import { Command } from '../components/command.tsx';
import { LearnAgain } from '../components/learn-again.tsx';
import { Link } from '../components/link.tsx';
import { NoRun } from '../components/no-run.tsx';
import { chosenRun, RunChoice, type RunLine, useRuns } from '../components/run-choice.tsx';
import { useFresh } from '../evaluate/fresh.ts';
import { type Order, orders, sorted, verdictOf } from '../evaluate/order.ts';
import { many, percent, raw, shortId, whole } from '../numbers.ts';
import { addressOf, place, setQuery } from '../place.ts';
import { Reasons } from '../viewer/reasons.tsx';
import { TraceView } from '../viewer/trace.tsx';
import { useView, type View, Viewer } from '../viewer/viewer.tsx';
import { inspectWords as words } from '../words/inspect.ts';
import { words as shell } from '../words.ts';
import './inspect.css';

export function InspectPage({ project }: { project: string }) {
  const asked = useRuns(project);
  return (
    <>
      <h1>{shell.sections.inspect}</h1>
      <Shown asked={asked}>{(runs) => <Chosen project={project} runs={runs} />}</Shown>
    </>
  );
}

/** What the address holds of one run. */
const OWN = ['t', 'r', 'item', 'type'];

function Chosen({ project, runs }: { project: string; runs: readonly RunLine[] }) {
  const run = chosenRun(runs);
  useFresh(run, OWN);
  if (run === undefined) return <NoRun project={project} />;
  return (
    <>
      <div class="row">
        <RunChoice runs={runs} label={words.run} />
      </div>
      <Scores key={run} project={project} run={run} />
    </>
  );
}

function Scores({ project, run }: { project: string; run: string }) {
  const asked = useAsked(
    (signal) => get<ScoresAnswer>(at(project, `/runs/${encodeURIComponent(run)}/scores`), signal),
    ({ topic, data }) => topic === 'runs' && (data as { run?: string } | null)?.run === run,
  );
  return <Shown asked={asked}>{(scores) => <Walk project={project} run={run} scores={scores} />}</Shown>;
}

/** Items beside the one that is shown. */
const NEAR = 12;

function Walk({ project, run, scores }: { project: string; run: string; scores: ScoresAnswer }) {
  const query = useComputed(() => place.value.query);
  const text = (key: string) => query.value.get(key) ?? undefined;
  const asked = text('t') === undefined ? Number.NaN : Number(text('t'));
  const threshold = Number.isFinite(asked) ? asked : scores.threshold.value;
  const review = text('r') === undefined ? scores.threshold.review?.from : Number(text('r'));
  const type = text('type');
  const wanted = orders.find((one) => one === text('show'));
  const hasErrors = useMemo(
    () => sorted(scores, { show: 'errors', threshold, review, type }).length > 0,
    [scores, threshold, review, type],
  );
  const show: Order = wanted ?? (hasErrors ? 'errors' : 'all');
  const list = useMemo(
    () => sorted(scores, { show, threshold, review, type }),
    [scores, show, threshold, review, type],
  );
  const types = useMemo(() => [...new Set(scores.classes)].sort(), [scores]);
  const view = useView();
  const given = text('item') === undefined ? undefined : Number(text('item'));
  const current = given !== undefined && given < scores.ids.length ? given : list[0];
  const at_ = current === undefined ? -1 : list.indexOf(current);
  const go = (index: number | undefined) => index !== undefined && setQuery({ run, item: String(index) });
  const step = (by: number) => go(list[at_ < 0 ? 0 : at_ + by]);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const on = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || on.closest('input, select, textarea, .panes')) return;
      if (event.key === 'ArrowRight') step(1);
      else if (event.key === 'ArrowLeft') step(-1);
      else return;
      event.preventDefault();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  });
  const from = Math.max(0, Math.min(at_ - NEAR, list.length - 2 * NEAR - 1));
  return (
    <>
      <div class="row">
        <label>
          {words.show}{' '}
          <select value={show} onChange={({ currentTarget }) => setQuery({ show: currentTarget.value, item: null })}>
            {orders.map((one) => (
              <option key={one} value={one}>
                {words.shows[one]}
              </option>
            ))}
          </select>
        </label>
        {types.length > 1 && (
          <label>
            {words.type}{' '}
            <select
              value={type ?? ''}
              onChange={({ currentTarget }) => setQuery({ type: currentTarget.value || null, item: null })}
            >
              <option value="">{words.allTypes}</option>
              {types.map((one) => (
                <option key={one} value={one}>
                  {one}
                </option>
              ))}
            </select>
          </label>
        )}
        <span class="row">
          <button type="button" disabled={at_ <= 0} onClick={() => step(-1)}>
            ← {words.previous}
          </button>
          <span role="status">{at_ >= 0 ? words.place(whole(at_ + 1), whole(list.length)) : whole(list.length)}</span>
          <button type="button" disabled={at_ >= list.length - 1} onClick={() => step(1)}>
            {words.next} →
          </button>
        </span>
      </div>
      {wanted === undefined && !hasErrors && <p>{words.noErrors}</p>}
      {current === undefined ? (
        <p>{show === 'errors' ? words.empty.errors : show === 'review' ? words.empty.review : words.empty.other}</p>
      ) : (
        <div class="inspect">
          <One key={current} {...{ project, run, scores, threshold, review, view }} index={current} onStep={go} />
          <nav aria-label={words.list}>
            <p class="soft">{words.keys}</p>
            <ul class="item-list">
              {list.slice(from, from + 2 * NEAR + 1).map((index) => (
                <li key={index}>
                  <Link
                    to={addressOf(project, 'inspect', { ...Object.fromEntries(query.value), run, item: String(index) })}
                    isCurrent={index === current}
                  >
                    <span title={scores.ids[index]}>{shortId(scores.ids[index])}</span>
                    <span class="n">{scores.scores[index] === null ? '–' : raw(scores.scores[index])}</span>
                  </Link>
                </li>
              ))}
            </ul>
          </nav>
        </div>
      )}
      <LearnAgain project={project} run={run} canUpdate={scores.canUpdate} />
    </>
  );
}

interface OneProps {
  readonly project: string;
  readonly run: string;
  readonly scores: ScoresAnswer;
  readonly threshold: number | null;
  readonly review: number | undefined;
  readonly view: View;
  readonly index: number;
  onStep(index: number): void;
}

function One({ project, run, scores, threshold, review, view, index, onStep }: OneProps) {
  const path = at(project, `/runs/${encodeURIComponent(run)}/items/${index}`);
  const asked = useAsked((signal) => get<ItemAnswer>(path, signal));
  const isWaiting = useComputed(() => asked.value.value === undefined && asked.fault.value === '');
  return (
    <div>
      {isWaiting.value && <p class="soft">{words.opening}</p>}
      <Shown asked={asked}>
        {(item) => (
          <article>
            <Verdict item={item} threshold={threshold} review={review} />
            {item.takesFeedback && <Say {...{ project, run, item }} own={scores.items[index]} onSaid={asked.again} />}
            {item.picture && <Viewer path={path} id={shortId(item.id)} facts={item.picture} view={view} />}
            {item.columns && <Reasons columns={item.columns} />}
            {item.trace && <TraceView trace={item.trace} threshold={threshold} onStep={onStep} />}
          </article>
        )}
      </Shown>
    </div>
  );
}

/** What the threshold makes of it, and how rare its score is. */
function Verdict({
  item,
  threshold,
  review,
}: {
  item: ItemAnswer;
  threshold: number | null;
  review: number | undefined;
}) {
  const { id, type, label, score, normals } = item;
  const verdict = verdictOf({ label, score }, threshold, review);
  return (
    <>
      <p class="verdict">
        <b class={verdict === 'missed' || verdict === 'falseAlarm' ? 'wrong' : undefined}>{words.verdicts[verdict]}</b>{' '}
        {type}{' '}
        <span class="soft" title={id}>
          {shortId(id)}
        </span>
      </p>
      <p title={String(score)}>
        {threshold === null ? words.scoreOnly(raw(score)) : words.scoreText(raw(score), raw(threshold))}{' '}
        {normals.total > 0 &&
          words.rare(percent(normals.higher / normals.total), many(normals.total, ...words.normals))}
      </p>
    </>
  );
}

/** A person's word on an item: it goes to the feedback of the run and to the label of the item in the project. */
function Say({
  project,
  run,
  item,
  own,
  onSaid,
}: {
  project: string;
  run: string;
  item: ItemAnswer;
  own: number | null;
  onSaid(): void;
}) {
  const fault = useSignal('');
  const answer = useSignal<FeedbackAnswer | undefined>(undefined);
  const say = async (label: FeedbackRequest['label']) => {
    try {
      const request: FeedbackRequest = { items: [item.index], label };
      answer.value = await send<FeedbackAnswer>(
        'POST',
        at(project, `/runs/${encodeURIComponent(run)}/feedback`),
        request,
      );
      // A step of a series is no item of its own.
      if (own !== null && label !== null && !item.trace)
        await send('POST', at(project, '/edits'), { items: [own], set: { label } });
      fault.value = '';
    } catch (error) {
      fault.value = (error as Error).message;
    }
    onSaid();
  };
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const on = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || on.closest('input, select, textarea')) return;
      const key = event.key.toLowerCase();
      if (key === 'n') void say('normal');
      if (key === 'a') void say('anomalous');
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  });
  return (
    <div class="panel">
      <div class="row">
        <b>{words.decide}</b>
        <button type="button" aria-pressed={item.feedback === 'normal'} onClick={() => say('normal')}>
          {words.isNormal}
        </button>
        <button type="button" aria-pressed={item.feedback === 'anomalous'} onClick={() => say('anomalous')}>
          {words.isAnomalous}
        </button>
        {item.feedback !== null && (
          <button type="button" onClick={() => say(null)}>
            {words.takeBack}
          </button>
        )}
      </div>
      <div role="status">
        {fault.value || (item.feedback !== null && `${words.said[item.feedback]} ${words.saved}`)}
      </div>
      {answer.value && <Command text={answer.value.command} />}
    </div>
  );
}
