/** The list of projects, samples to begin with, and a new project from files or a path. */
import { useSignal } from '@preact/signals';
import type { ProjectFacts, ProjectList } from '../../../src/studio/answers.ts';
import { at, get, send } from '../api.ts';
import { Shown, useAsked } from '../components/asked.tsx';
import { AddData } from '../components/data/add-data.tsx';
import { Link } from '../components/link.tsx';
import { addressOf, go } from '../place.ts';
import { homeWords as say } from '../words/home.ts';
import { words } from '../words.ts';
import './home.css';

export function Home() {
  const asked = useAsked((signal) => get<ProjectList>('/projects', signal));
  return (
    <>
      <h1>{words.projects}</h1>
      <p>{say.lead}</p>
      <Shown asked={asked}>
        {({ projects, samples, folder }) => (
          <>
            {projects.length === 0 ? (
              <p class="soft">{say.none}</p>
            ) : (
              <ul class="cards">
                {projects.map((project) => (
                  <Card key={project.name} project={project} onRemoved={asked.again} />
                ))}
              </ul>
            )}
            <NewProject taken={projects.map(({ name }) => name)} />
            <h2>{say.samples}</h2>
            <Samples samples={samples} taken={projects.map(({ name }) => name)} />
            <p class="soft place">{say.place(folder)}</p>
          </>
        )}
      </Shown>
    </>
  );
}

function Card({ project, onRemoved }: { project: ProjectFacts; onRemoved(): void }) {
  const { name, kind, items, normal, anomalous, runs, explanation } = project;
  const fault = useSignal('');
  const remove = async () => {
    if (!confirm(say.removeQuestion(name))) return;
    try {
      await send('DELETE', at(name));
      onRemoved();
    } catch (error) {
      fault.value = (error as Error).message;
    }
  };
  return (
    <li>
      <h2>
        <Link to={addressOf(name, 'data')}>{name}</Link>
      </h2>
      <p>{kind ? say.items(kind, items) : say.noData}</p>
      {kind && (
        <p class="soft">{say.facts(kind === 'image' || kind === 'table' ? [normal, anomalous] : undefined, runs)}</p>
      )}
      {explanation && <small class="brief">{explanation.split('\n')[0]}</small>}
      <p>
        <button type="button" class="plain" aria-label={say.removeName(name)} onClick={() => void remove()}>
          {say.remove}
        </button>
      </p>
      {fault.value && (
        <p class="banner" role="alert">
          {fault.value}
        </p>
      )}
    </li>
  );
}

/** A name that is free: the wanted one, or with a number behind it. */
function freeName(wanted: string, taken: readonly string[]): string {
  const plain =
    wanted
      .replace(/[^\p{L}\p{N} ._-]/gu, ' ')
      .replace(/^[^\p{L}\p{N}]+/u, '')
      .trim()
      .slice(0, 60) || 'project';
  if (!taken.includes(plain)) return plain;
  return freeName(
    plain.replace(/( (\d+))?$/, (_, __, n) => ` ${Number(n ?? 1) + 1}`),
    taken,
  );
}

function NewProject({ taken }: { taken: readonly string[] }) {
  const name = useSignal('');
  const isOwn = useSignal(false);
  const wanted = name.value.trim();
  return (
    <section class="panel">
      <h2>{say.new}</h2>
      <AddData
        mayBeEmpty
        submit={say.create}
        project={async () => {
          const own = wanted || freeName('project', taken);
          await send('POST', '/projects', { name: own });
          return own;
        }}
        onChosen={(found) => {
          if (!isOwn.peek()) name.value = freeName(found, taken);
        }}
        onFailed={(made) => send('DELETE', at(made))}
        onDone={(made) => go(addressOf(made, 'data'))}
      >
        <label class="wide">
          {say.name}
          <input
            type="text"
            value={name.value}
            maxLength={64}
            placeholder={freeName('project', taken)}
            onInput={({ currentTarget }) => {
              name.value = currentTarget.value;
              isOwn.value = currentTarget.value !== '';
            }}
          />
          <small>{say.nameHint}</small>
        </label>
      </AddData>
    </section>
  );
}

function Samples({ samples, taken }: Pick<ProjectList, 'samples'> & { taken: readonly string[] }) {
  const [busy, fault] = [useSignal(''), useSignal('')];
  const begin = async (sample: string, title: string) => {
    busy.value = sample;
    fault.value = '';
    try {
      const name = freeName(title, taken);
      await send('POST', '/projects', { name, sample });
      go(addressOf(name, 'data'));
    } catch (error) {
      fault.value = (error as Error).message;
    } finally {
      busy.value = '';
    }
  };
  return (
    <>
      {fault.value && (
        <p class="banner" role="alert">
          {fault.value}
        </p>
      )}
      <ul class="cards">
        {samples.map(({ name, title, about }) => (
          <li key={name}>
            <h3>{title}</h3>
            <p>{about}</p>
            <button type="button" disabled={busy.value !== ''} onClick={() => void begin(name, title)}>
              {say.begin}
              <span class="hidden"> {title}</span>
            </button>
            {busy.value === name && <p role="status">{say.making}</p>}
          </li>
        ))}
      </ul>
    </>
  );
}
