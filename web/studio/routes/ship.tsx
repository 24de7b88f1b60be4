/** Ship: a run's files, its verified export, serving it from here, snippets and the model card. */
import { useComputed, useSignal } from '@preact/signals';
import type { ExportResult } from '../../../src/runs/export.ts';
import type { ShipAnswer } from '../../../src/studio/routes/ship.ts';
import { at, get, send } from '../api.ts';
import { Shown, useAsked } from '../components/asked.tsx';
import { Command } from '../components/command.tsx';
import { isAtWork, useJob } from '../components/job.ts';
import { NoRun } from '../components/no-run.tsx';
import { chosenRun, RunChoice, useRuns } from '../components/run-choice.tsx';
import { useFresh } from '../evaluate/fresh.ts';
import { shipWords as say } from '../words/ship.ts';
import { words } from '../words.ts';

export function ShipPage({ project }: { project: string }) {
  const runs = useRuns(project);
  const run = useComputed(() => chosenRun(runs.value.value));
  useFresh(run.value);
  const asked = useAsked(
    async (signal) =>
      run.value === undefined
        ? undefined
        : await get<ShipAnswer>(at(project, `/runs/${encodeURIComponent(run.value)}/ship`), signal),
    ['runs'],
  );
  return (
    <>
      <h1>{words.sections.ship}</h1>
      <p>{say.lead}</p>
      <Shown asked={runs}>
        {(list) =>
          list.length === 0 ? (
            <NoRun project={project} />
          ) : (
            <>
              <RunChoice runs={list} label={say.run} />
              <Shown asked={asked}>
                {(facts) => facts && <Parts key={facts.run} project={project} facts={facts} />}
              </Shown>
            </>
          )
        }
      </Shown>
    </>
  );
}

function Parts({ project, facts }: { project: string; facts: ShipAnswer }) {
  const path = at(project, `/runs/${encodeURIComponent(facts.run)}`);
  return (
    <>
      <div class="pair">
        <section>
          <h2>{say.files}</h2>
          <ul>
            {facts.files.map(({ name, sizeBytes }) => (
              <li key={name}>
                <a href={`/api${path}/files/${name}?download`} download={name} aria-label={say.download(name)}>
                  {name}
                </a>{' '}
                <small>{sized(sizeBytes)}</small>
              </li>
            ))}
          </ul>
          {facts.files.some(({ name }) => name === 'report.html') && (
            <p>
              <a href={`/api${path}/files/report.html`} target="_blank" rel="noreferrer">
                {say.report}
              </a>
            </p>
          )}
          <Export project={project} run={facts.run} />
          <Command text={facts.commands.export} />
        </section>
        <Serving path={path} facts={facts} />
      </div>
      <section>
        <h2>{say.snippets}</h2>
        {facts.snippets.map(({ name, title, code, note }) => (
          <div key={name}>
            <Command text={code} label={title} />
            {note && <p class="soft">{note}</p>}
          </div>
        ))}
      </section>
      <section>
        <h2>{say.card}</h2>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a part that scrolls must be reachable by the keyboard. */}
        <pre class="panel card" tabIndex={0}>
          {facts.card}
        </pre>
        <a
          class="button"
          href={`data:text/markdown;charset=utf-8,${encodeURIComponent(facts.card)}`}
          download="CARD.md"
        >
          {say.cardDownload}
        </a>
      </section>
    </>
  );
}

function Export({ project, run }: { project: string; run: string }) {
  const precision = useSignal<keyof typeof say.precisions>('float32');
  const { job, fault, begin } = useJob(project);
  const found = job.value;
  const result = found?.result as Partial<ExportResult> | undefined;
  return (
    <>
      <h3>{say.export}</h3>
      <p class="soft">{say.exportAbout}</p>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          void begin('export', {
            ...{ run, verify: true },
            ...(precision.value !== 'float32' && { precision: precision.value }),
          });
        }}
      >
        <label>
          {say.precision}{' '}
          <select
            value={precision.value}
            onChange={({ currentTarget }) => {
              precision.value = currentTarget.value as keyof typeof say.precisions;
            }}
          >
            {Object.entries(say.precisions).map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" disabled={isAtWork(found)}>
          {say.start}
        </button>
      </form>
      <div role="status">
        {fault.value && <p class="banner">{fault.value}</p>}
        {found?.state === 'waiting' && <p>{say.waiting}</p>}
        {found?.state === 'running' && <p>{say.working}</p>}
        {found?.error && <p class="banner">{found.error.message}</p>}
        {found?.state === 'done' && result?.passed !== undefined && (
          <div class={result.passed ? 'banner good' : 'banner'}>
            <p>{result.passed ? say.passed : say.failed}</p>
            <ul>
              {Object.entries(result.devices ?? {}).map(([device, largest]) => (
                <li key={device}>{say.difference(device, largest.toExponential(1))}</li>
              ))}
              {result.failures?.map((failure) => (
                <li key={failure}>{failure}</li>
              ))}
            </ul>
          </div>
        )}
      </div>
    </>
  );
}

function Serving({ path, facts }: { path: string; facts: ShipAnswer }) {
  const fault = useSignal('');
  const { name, isServed } = facts.served;
  const change = async () => {
    fault.value = '';
    try {
      await send(isServed ? 'DELETE' : 'POST', `${path}/serve`);
    } catch (error) {
      fault.value = (error as Error).message;
    }
  };
  return (
    <section>
      <h2>{say.serving}</h2>
      <p role="status">{isServed ? say.served(`${location.origin}/detectors/${name}/score`) : say.notServed}</p>
      <button type="button" class={isServed ? '' : 'main'} onClick={change}>
        {isServed ? say.unserve : say.serve}
      </button>
      {fault.value && <p class="banner">{fault.value}</p>}
      <Command text={facts.commands.serve} />
      {isServed && (
        <p>
          {say.token}: <code>{facts.token}</code>
        </p>
      )}
    </section>
  );
}

function sized(bytes: number): string {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
