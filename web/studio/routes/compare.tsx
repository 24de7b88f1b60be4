/** Compare: two runs on the same test items, with the intervals of their differences and the items that changed. */

import { useComputed } from '@preact/signals';
import { findMetric, idOf, metricsOf, titlesOf } from 'oddity/metrics';
import type { CompareAnswer, PlacedItem } from '../../../src/studio/evaluate/answers.ts';
import { at, get } from '../api.ts';
import { Shown, useAsked } from '../components/asked.tsx';
import { Command } from '../components/command.tsx';
import { Link } from '../components/link.tsx';
import { NoRun } from '../components/no-run.tsx';
import { type RunLine, useRuns } from '../components/run-choice.tsx';
import { Scroll } from '../evaluate/scroll.tsx';
import { fixed, many, percent, shortId, whole } from '../numbers.ts';
import { addressOf, place, setQuery } from '../place.ts';
import { evaluateWords } from '../words/evaluate.ts';
import { words as shell } from '../words.ts';

const words = evaluateWords.compare;

export function ComparePage({ project }: { project: string }) {
  const asked = useRuns(project);
  return (
    <>
      <h1>{shell.sections.compare}</h1>
      <p>{words.lead}</p>
      <Shown asked={asked}>
        {(runs) =>
          runs.length === 0 ? (
            <NoRun project={project} />
          ) : runs.length === 1 ? (
            <p>
              {words.few} <Link to={addressOf(project, 'train')}>{shell.train}</Link>
            </p>
          ) : (
            <Pair project={project} runs={runs} />
          )
        }
      </Shown>
    </>
  );
}

function Pair({ project, runs }: { project: string; runs: readonly RunLine[] }) {
  const named = (key: 'a' | 'b') => runs.find(({ name }) => name === place.value.query.get(key))?.name;
  const a = useComputed(() => named('a') ?? runs.find(({ name }) => name !== named('b'))!.name);
  const b = useComputed(() => {
    const others = runs.filter(({ name }) => name !== a.value);
    const { data } = runs.find(({ name }) => name === a.value)!;
    return named('b') ?? (others.find((one) => one.data === data) ?? others[0]).name;
  });
  const choose = (key: 'a' | 'b', label: string, value: string) => (
    <label>
      {label}{' '}
      <select value={value} onChange={({ currentTarget }) => setQuery({ [key]: currentTarget.value })}>
        {runs.map(({ name, model }) => (
          <option key={name} value={name}>
            {name} ({model})
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <>
      <div class="row">
        {choose('a', words.a, a.value)}
        {choose('b', words.b, b.value)}
      </div>
      {a.value === b.value ? (
        <p>{words.same}</p>
      ) : (
        <Compared key={`${a.value} ${b.value}`} project={project} a={a.value} b={b.value} />
      )}
    </>
  );
}

function Compared({ project, a, b }: { project: string; a: string; b: string }) {
  const asked = useAsked(
    (signal) => get<CompareAnswer>(at(project, `/compare?${new URLSearchParams({ a, b })}`), signal),
    ({ topic, data }) => topic === 'runs' && [a, b].includes((data as { run?: string } | null)?.run ?? ''),
  );
  const isWaiting = useComputed(() => asked.value.value === undefined && asked.fault.value === '');
  return (
    <>
      {isWaiting.value && <p class="soft">{words.loading}</p>}
      <Shown asked={asked}>{(found) => <Answer project={project} found={found} />}</Shown>
    </>
  );
}

function Answer({ project, found }: { project: string; found: CompareAnswer }) {
  const { a, b, differences, agreement, testItems, changed, changedCount, farthest, command, words: kind } = found;
  const known = metricsOf(found);
  const metrics = found.metrics.filter((one) => one.a !== null || one.b !== null);
  const own = metrics.map((one) => findMetric(idOf(one), known));
  const titles = titlesOf(own, kind);
  return (
    <>
      {(a.sawTest || b.sawTest) && (
        <div class="banner">
          <p>{words.saw}</p>
        </div>
      )}
      {differences.map((text) => (
        <p key={text}>{text}</p>
      ))}
      <h2>{words.metrics}</h2>
      <Scroll label={words.metrics}>
        <table class="stacked">
          <thead>
            <tr>
              {words.columns.map((name, i) => (
                <th
                  key={name}
                  scope={name === '' ? undefined : 'col'}
                  class={i === 0 ? undefined : i < 3 ? 'n' : i < 5 ? 'n wide' : 'wide'}
                >
                  {i === 1
                    ? `A: ${a.run}`
                    : i === 2
                      ? `B: ${b.run}`
                      : name || <span class="hidden">{words.verdict}</span>}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {metrics.map((one, i) => (
              <tr key={titles[i]}>
                <th scope="row" title={own[i].meaning}>
                  {titles[i]}
                  <div class="narrow soft">
                    {words.columns[3]} {signed(one.difference)}
                    {one.interval && `, ${intervalOf(one)}: ${verdictOf(one)}`}
                  </div>
                </th>
                <td class="n">{fixed(one.a)}</td>
                <td class="n">{fixed(one.b)}</td>
                <td class="n wide">{signed(one.difference)}</td>
                <td class="n wide">{intervalOf(one)}</td>
                <td class="wide">{verdictOf(one)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {agreement !== null && (
        <p>{words.agreement(percent(agreement), many(testItems, `test ${kind.item}`, `test ${kind.items}`))}</p>
      )}
      <h2>{words.changed(many(changedCount, kind.item, kind.items))}</h2>
      {changedCount === 0 ? (
        <p>{words.unchanged}</p>
      ) : (
        <>
          {changed.length < changedCount && <p>{words.some(whole(changed.length), whole(changedCount))}</p>}
          <Items project={project} run={b.run} items={changed} />
        </>
      )}
      <h2>{words.farthest}</h2>
      <p class="soft">{words.rankNote}</p>
      <Items project={project} run={b.run} items={farthest} />
      <Command text={command} />
    </>
  );
}

const signed = (value: number | null): string =>
  value === null ? '–' : `${value < 0 ? '−' : '+'}${fixed(Math.abs(value))}`;

type MetricLine = CompareAnswer['metrics'][number];
const intervalOf = ({ interval }: MetricLine) => (interval ? interval.map(signed).join(' … ') : words.noInterval);
const verdictOf = ({ interval }: MetricLine) =>
  interval && (interval[0] > 0 || interval[1] < 0 ? words.differ : words.alike);

/** On a phone what an item is stands below its name, and a decision below its rank. */
function Items({ project, run, items }: { project: string; run: string; items: readonly PlacedItem[] }) {
  return (
    <div class="scroll">
      <table class="stacked">
        <thead>
          <tr>
            {words.itemColumns.map((name, i) => (
              <th key={name} scope="col" class={[0, 3, 4].includes(i) ? undefined : 'wide'}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {items.map((one) => (
            <tr key={one.index}>
              <th scope="row">
                <Link to={addressOf(project, 'inspect', { run, show: 'all', item: String(one.index) })}>
                  {shortId(one.id)}
                </Link>
                <div class="narrow">
                  {one.class}, <Truth {...one} />
                </div>
              </th>
              <td class="wide">{one.class}</td>
              <td class="wide">
                <Truth {...one} />
              </td>
              <td>
                {percent(one.rankA)}
                <div class="narrow">{one.decisionA ?? '–'}</div>
              </td>
              <td>
                {percent(one.rankB)}
                <div class="narrow">{one.decisionB ?? '–'}</div>
              </td>
              <td class="wide">{one.decisionA ?? '–'}</td>
              <td class="wide">{one.decisionB ?? '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const Truth = ({ label }: Pick<PlacedItem, 'label'>) => (
  <span class={label === 1 ? 'anomalous' : 'normal'}>
    {label === 1 ? evaluateWords.figures.anomalous : evaluateWords.figures.normal}
  </span>
);
