/** What came of a job, in the form of its kind. */
import type { RunResult } from '../../../../src/jobs/kinds.ts';
import type { CleanResult, ExportResult, TryResult } from '../../../../src/runs/index.ts';
import type { ShownJob } from '../../../../src/studio/jobs/answers.ts';
import { durationText, labelOf, trainWords as say, short } from '../../words/train.ts';

export function Result({ job }: { job: ShownJob }) {
  if (job.state !== 'done' || job.result === undefined) return null;
  if (job.kind === 'try') return <Tried result={job.result as TryResult} />;
  if (job.kind === 'clean') {
    const { counts } = job.result as CleanResult;
    return <p>{say.odd(counts.odd, counts.items)}</p>;
  }
  if (job.kind === 'export') {
    const { model, passed } = job.result as ExportResult;
    return (
      <p>
        {say.exported(model)}
        {passed !== undefined && ` (${say.verified(passed)})`}
      </p>
    );
  }
  if (job.kind === 'train' || job.kind === 'update' || job.kind === 'test')
    return <Figures result={job.result as RunResult} />;
  return null;
}

function Figures({ result: { model, metrics, threshold } }: { result: RunResult }) {
  return (
    <dl class="figures">
      <div>
        <dt>{say.model}</dt>
        <dd>{model}</dd>
      </div>
      {Object.entries(metrics).map(([name, value]) => (
        <div key={name}>
          <dt>{titleOf(name)}</dt>
          <dd class="n">{value === null ? '–' : value.toFixed(3)}</dd>
        </div>
      ))}
      <div>
        <dt>{say.threshold}</dt>
        <dd class="n">{threshold === null ? '–' : short(threshold)}</dd>
      </div>
    </dl>
  );
}

const titles: Readonly<Record<string, string>> = { auroc: 'AUROC', averagePrecision: 'AP', ap: 'AP' };
const titleOf = (name: string) => titles[name] ?? labelOf(name);

function Tried({ result: { tried, by } }: { result: TryResult }) {
  const names = [...new Set(tried.flatMap(({ metrics = {} }) => Object.keys(metrics)))];
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section class="scroll" tabIndex={0} aria-label={say.tried}>
      <table>
        <caption>
          {say.tried}. {say.triedBy[by]}
        </caption>
        <thead>
          <tr>
            <th scope="col" class="n">
              {say.columns[0]}
            </th>
            <th scope="col">{say.columns[1]}</th>
            {names.map((name) => (
              <th scope="col" key={name}>
                {titleOf(name)} (95 %)
              </th>
            ))}
            <th scope="col">{say.columns[2]}</th>
            <th scope="col">{say.columns[3]}</th>
          </tr>
        </thead>
        <tbody>
          {tried.map((one) => (
            <tr key={one.model}>
              <td class="n">{one.place ?? '–'}</td>
              <th scope="row">
                {one.model}
                {one.isLevel && <small> {say.mayBeAsGood}</small>}
                {one.error && <small> {one.error.message}</small>}
              </th>
              {names.map((name) => {
                const interval = one.intervals?.[name];
                return (
                  <td key={name}>
                    {short(one.metrics?.[name] ?? undefined)}{' '}
                    {interval && <small>{say.level95(short(interval[0]), short(interval[1]))}</small>}
                  </td>
                );
              })}
              <td>{one.fitSeconds === undefined ? '–' : durationText(one.fitSeconds)}</td>
              <td>{one.scoreMsPerItem === undefined ? '–' : `${short(one.scoreMsPerItem)} ms`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
