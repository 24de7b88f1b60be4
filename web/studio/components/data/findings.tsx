/** What was understood of the imports, what was found in them, and what helps against it by one click. */
import { useSignal } from '@preact/signals';
import type { Commanded, FoundThing, ImportFacts } from '../../../../src/studio/answers-data.ts';
import { at, get, send } from '../../api.ts';
import { setQuery } from '../../place.ts';
import { dataWords as say } from '../../words/data.ts';
import { Shown, useAsked } from '../asked.tsx';
import { Command } from '../command.tsx';
import { ChoiceButton, isReadingOpen } from './reading.tsx';

export function Findings({ project }: { project: string }) {
  let heard = 0;
  const asked = useAsked(
    (signal) => get<{ imports: readonly (ImportFacts & Commanded)[] }>(at(project, '/imports'), signal),
    ({ topic, data }) => {
      const isCheck = topic === 'progress' && (data as { id?: string } | null)?.id === 'check';
      if (!isCheck) return topic === 'items';
      if (Date.now() - heard < 900) return false;
      heard = Date.now();
      return true;
    },
  );
  return (
    <Shown asked={asked}>
      {({ imports }) => (
        <div class="imports">
          {imports.map((one) => (
            <Import key={one.path} project={project} found={one} />
          ))}
        </div>
      )}
    </Shown>
  );
}

function Import({ project, found }: { project: string; found: ImportFacts & Commanded }) {
  const { explanation, path, checking, fault, findings, command } = found;
  const grave = findings.filter(({ severity, open, action }) => severity === 'error' && (!action || open > 0)).length;
  const [first, ...rest] = explanation.split('\n');
  return (
    <section class="panel import">
      <p>
        <strong>{first}</strong>
      </p>
      {rest.map((line) => (
        <p key={line} class="soft">
          {line}
        </p>
      ))}
      <p class="soft place">{path}</p>
      {checking && (
        <p role="status">
          <label>
            {say.checking(checking.done, checking.total)}
            <progress value={checking.done} max={Math.max(1, checking.total)} />
          </label>
        </p>
      )}
      {fault && (
        <p class="banner" role="alert">
          {fault}
        </p>
      )}
      {findings.length > 0 ? (
        <details open={grave > 0}>
          <summary>
            {say.findings} ({findings.length})
          </summary>
          <ul class="findings">
            {findings.map((one) => (
              <Finding key={one.id} project={project} found={one} />
            ))}
          </ul>
        </details>
      ) : (
        !checking && !fault && <p class="soft">{say.noFindings}</p>
      )}
      <Command text={command} />
    </section>
  );
}

function Finding({ project, found }: { project: string; found: FoundThing }) {
  const { id, severity, message, advice, items, open, action, choices, files } = found;
  const fault = useSignal('');
  const isDone = action !== undefined && open === 0;
  const attempt = async (path: string, body?: object) => {
    fault.value = '';
    await send('POST', at(project, `/findings/${id}${path}`), body).catch((error: Error) => {
      fault.value = error.message;
    });
  };
  const act = () => void attempt('');
  return (
    <li class={`finding ${severity}`}>
      <p>
        <strong>{say.severity[severity]}:</strong> {message} {advice}
      </p>
      <div class="row">
        {items > 0 && (
          <button type="button" onClick={() => setQuery({ finding: id })}>
            {say.show(items)}
          </button>
        )}
        {action &&
          (isDone ? (
            <span class="soft">✓ {say.dealt}</span>
          ) : (
            <button type="button" onClick={act}>
              {say.actions[action]} ({open})
            </button>
          ))}
        {choices.map((choice, i) => (
          <ChoiceButton
            key={JSON.stringify(choice)}
            choice={choice}
            act={() => {
              if (choice.value !== undefined) void attempt('/choice', { choice: i });
              else isReadingOpen.value = true;
            }}
          />
        ))}
        {files.length > 0 && (
          <details>
            <summary>{say.files}</summary>
            <ul>
              {files.map(({ path, remark }) => (
                <li key={path}>
                  {path}
                  {remark && <span class="soft"> – {remark}</span>}
                </li>
              ))}
            </ul>
          </details>
        )}
      </div>
      {fault.value && (
        <p class="banner" role="alert">
          {fault.value}
        </p>
      )}
    </li>
  );
}
