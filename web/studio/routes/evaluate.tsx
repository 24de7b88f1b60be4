/** Evaluate: whether a detector works, and at which threshold. Every number follows the threshold at once. */
import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { ThresholdPolicy } from '../../../src/runs/index.ts';
import type { RunAnswer, ScoresAnswer, ThresholdAnswer } from '../../../src/studio/evaluate/answers.ts';
import { at, get } from '../api.ts';
import { Shown, useAsked } from '../components/asked.tsx';
import { Command } from '../components/command.tsx';
import { Link } from '../components/link.tsx';
import { NoRun } from '../components/no-run.tsx';
import { chosenRun, RunChoice, type RunLine, useRuns } from '../components/run-choice.tsx';
import { askThreshold, Choose } from '../evaluate/choose.tsx';
import { CostPanel } from '../evaluate/costs.tsx';
import { Curves } from '../evaluate/curves.tsx';
import { Figures, Types } from '../evaluate/figures.tsx';
import { useFresh } from '../evaluate/fresh.ts';
import { type Choice, Histogram } from '../evaluate/histogram.tsx';
import { MetricTable } from '../evaluate/metric-table.tsx';
import { modelOf } from '../evaluate/model.ts';
import { Points } from '../evaluate/points.tsx';
import { SoftCurves } from '../evaluate/soft-curves.tsx';
import { many, raw, whole } from '../numbers.ts';
import { addressOf, place, setQuery } from '../place.ts';
import { evaluateWords as words } from '../words/evaluate.ts';
import { words as shell } from '../words.ts';
import './evaluate.css';

export function EvaluatePage({ project }: { project: string }) {
  const asked = useRuns(project);
  return (
    <>
      <h1>{shell.sections.evaluate}</h1>
      <Shown asked={asked}>{(runs) => <Chosen project={project} runs={runs} />}</Shown>
    </>
  );
}

/** What the address holds of one run. */
const OWN = ['t', 'r'];

function Chosen({ project, runs }: { project: string; runs: readonly RunLine[] }) {
  const run = chosenRun(runs);
  useFresh(run, OWN);
  if (run === undefined) return <NoRun project={project} />;
  return (
    <>
      <div class="row">
        <RunChoice runs={runs} label={words.run} />
        {runs.length > 1 && <Link to={addressOf(project, 'compare', { a: run })}>{words.compareWith}</Link>}
      </div>
      <Whole key={run} project={project} run={run} />
    </>
  );
}

/** Asks for a run and its scores. */
function Whole({ project, run }: { project: string; run: string }) {
  const path = at(project, `/runs/${encodeURIComponent(run)}`);
  const asked = useAsked(
    async (signal) => {
      const [facts, scores] = await Promise.all([
        get<RunAnswer>(path, signal),
        get<ScoresAnswer>(`${path}/scores`, signal),
      ]);
      return { facts, scores };
    },
    ({ topic, data }) => topic === 'runs' && (data as { run?: string } | null)?.run === run,
  );
  return (
    <Shown asked={asked}>
      {({ facts, scores }) => <Evaluation project={project} run={run} facts={facts} scores={scores} />}
    </Shown>
  );
}

/** A number of the address; undefined where it is none. */
function numberAt(key: string): number | undefined {
  const text = place.peek().query.get(key);
  const value = text === null || text === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function Evaluation({
  project,
  run,
  facts,
  scores,
}: {
  project: string;
  run: string;
  facts: RunAnswer;
  scores: ScoresAnswer;
}) {
  const model = useMemo(() => modelOf(scores), [scores]);
  const { threshold: inUse, report, words: kind } = facts;
  const first = inUse.value ?? (model.low + model.high) / 2;
  const threshold = useSignal(numberAt('t') ?? first);
  const review = useSignal<number | null>(numberAt('r') ?? inUse.review?.from ?? null);
  /** Rules that lead to what is shown; undefined where a hand did. */
  const rules = useSignal<{ policies: readonly ThresholdPolicy[]; answer?: ThresholdAnswer } | undefined>(undefined);
  const choice = useMemo(
    (): Choice => ({
      threshold,
      review,
      onMove() {
        rules.value = undefined;
      },
    }),
    [threshold, review, rules],
  );
  useSignalEffect(() => {
    const [t, r] = [threshold.value, review.value];
    // The address follows once the line rests: browsers refuse a hundred of its changes.
    const timer = setTimeout(() => setQuery({ run, t: String(t), r: r === null ? null : String(r) }), 400);
    return () => clearTimeout(timer);
  });
  const show = (policies: readonly ThresholdPolicy[], answer: ThresholdAnswer) => {
    if (answer.threshold.value !== null) threshold.value = answer.threshold.value;
    review.value = answer.threshold.review?.from ?? null;
    rules.value = { policies, answer };
  };
  const { items, item } = kind;
  return (
    <>
      <Banners facts={facts} />
      <p>
        {words.lead(facts.title, many(report.counts.test, item, items), whole(report.counts.testAnomalies))}{' '}
        {!inUse.sawTest && words.restsOn(many(inUse.normals, `normal ${item}`, `normal ${items}`))}
      </p>
      <div class="judge">
        <section>
          <h2>{words.chart.title}</h2>
          <Histogram model={model} choice={choice} item={item} items={items} />
          <Use project={project} run={run} choice={choice} facts={facts} rules={rules.value} />
        </section>
        <div>
          <Figures model={model} choice={choice} />
          <p>
            <ErrorsLink project={project} run={run} choice={choice} />
          </p>
        </div>
      </div>
      <Curves model={model} choice={choice} report={report} />
      {report.kind === 'series' && <SoftCurves project={project} run={run} choice={choice} />}
      <div class="pair">
        <div>
          <Choose project={project} run={run} isSeries={report.kind === 'series'} onFound={show} />
          <CostPanel
            model={model}
            choice={choice}
            onCheapest={(value, { falseAlarm, miss, prevalence }) => {
              threshold.value = value;
              review.value = null;
              rules.value = { policies: [{ by: 'cost', falseAlarm, miss, prevalence }] };
            }}
          />
        </div>
        <div>
          <Points project={project} run={run} model={model} choice={choice} />
          <Types project={project} run={run} model={model} threshold={threshold} />
        </div>
      </div>
      <MetricTable report={report} words={kind} />
      <Command text={facts.commands.test} label={words.commands.test} />
      <Command text={facts.commands.report} label={words.commands.report} />
    </>
  );
}

function ErrorsLink({ project, run, choice }: { project: string; run: string; choice: Choice }) {
  const to = useComputed(() => addressOf(project, 'inspect', { run, t: String(choice.threshold.value) }));
  return <Link to={to.value}>{words.errors}</Link>;
}

/** What must be known before a number is believed. */
function Banners({ facts }: { facts: RunAnswer }) {
  const { threshold, warnings, report } = facts;
  return (
    <>
      {threshold.sawTest && (
        <div class="banner">
          <p>
            <b>{words.sawTest}</b> {words.sawTestMore(threshold.rule)}
          </p>
        </div>
      )}
      {threshold.value === null ? (
        <div class="banner">
          <p>{words.noThreshold}</p>
        </div>
      ) : (
        threshold.reason && (
          <div class="banner mild">
            <p>
              <b>{words.fewNormals}</b> {threshold.reason}
            </p>
          </div>
        )
      )}
      {report.counts.testAnomalies === 0 && (
        <div class="banner mild">
          <p>{words.unlabelled}</p>
        </div>
      )}
      {warnings.length > 0 && (
        <details class="banner mild">
          <summary>{words.warnings(warnings.length)}</summary>
          <ul>
            {warnings.map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

/** Makes what is shown the threshold of the run, with the command that does the same. */
function Use(props: {
  project: string;
  run: string;
  choice: Choice;
  facts: RunAnswer;
  rules: { policies: readonly ThresholdPolicy[] } | undefined;
}) {
  const { project, run, choice, facts, rules } = props;
  const [value, from] = [choice.threshold.value, choice.review.value];
  const fault = useSignal('');
  const written = useSignal<ThresholdAnswer | undefined>(undefined);
  const inUse = facts.threshold;
  const isInUse = value === inUse.value && from === (inUse.review?.from ?? null);
  const policies: readonly ThresholdPolicy[] =
    rules?.policies ??
    (from === null
      ? [{ by: 'value', value, sawTest: true }]
      : [
          { by: 'value', value: from, sawTest: true },
          { by: 'value', value, sawTest: true },
        ]);
  const use = async () => {
    try {
      written.value = await askThreshold(project, run, { policies, write: true });
      fault.value = '';
    } catch (error) {
      fault.value = (error as Error).message;
    }
  };
  const { use: useWords, using, written: writtenWords } = words.choose;
  return (
    <div>
      {!isInUse && !rules && <p class="soft">{words.byHand}</p>}
      <div class="row">
        {!isInUse && (
          <button type="button" class="main" onClick={use}>
            {useWords}
          </button>
        )}
        {!isInUse && inUse.value !== null && (
          <button
            type="button"
            onClick={() => {
              choice.threshold.value = inUse.value!;
              choice.review.value = inUse.review?.from ?? null;
              choice.onMove();
            }}
          >
            {words.chart.back}: {raw(inUse.value)}
          </button>
        )}
      </div>
      <p role="status">{fault.value || (isInUse ? (written.value ? writtenWords : using(inUse.rule)) : '')}</p>
      {written.value && isInUse && <Command text={written.value.command} />}
    </div>
  );
}
