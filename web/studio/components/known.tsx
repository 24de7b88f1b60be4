/** Shows a section only where its address names a project and runs that there are; else says what is missing and what there is. */
import { useComputed } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { ProjectList } from '../../../src/studio/answers.ts';
import { at, get, Refused } from '../api.ts';
import { addressOf, place, type Section } from '../place.ts';
import { words } from '../words.ts';
import { Shown, useAsked } from './asked.tsx';
import { Link } from './link.tsx';
import type { RunLine } from './run-choice.tsx';

/** Keys of an address that name runs, by section; all others take the one in `run`. */
const keysOf = (section: Section): readonly string[] => (section === 'compare' ? ['a', 'b'] : ['run']);
/** How many runs are named where one is missing. */
const MOST = 10;

type Missing =
  | { readonly projects: readonly string[] }
  | { readonly run: string; readonly state?: string; readonly runs: readonly string[] }
  | undefined;

export function Known({ project, children }: { project: string; children: ComponentChildren }) {
  // The names as one text: other changes of the address ask nothing again.
  const named = useComputed(() => {
    const { section, query } = place.value;
    return JSON.stringify([section === 'data', ...keysOf(section).map((key) => query.get(key) || null)]);
  });
  const asked = useAsked(
    async (signal): Promise<{ missing: Missing }> => {
      const [isData, ...names] = JSON.parse(named.value) as [boolean, ...(string | null)[]];
      const runs = names.filter((name) => name !== null);
      try {
        if (runs.length === 0) await get(at(project), signal);
        else {
          const found = (await get<{ runs: readonly RunLine[] }>(at(project, '/runs'), signal)).runs;
          return { missing: missingOf(runs, found, isData) };
        }
      } catch (error) {
        if (!(error instanceof Refused) || error.code !== 'unknown-project') throw error;
        const { projects } = await get<ProjectList>('/projects', signal);
        return { missing: { projects: projects.map(({ name }) => name) } };
      }
      return { missing: undefined };
    },
    ['runs'],
  );
  return (
    <Shown asked={asked}>
      {({ missing }) => (missing ? <Unknown project={project} missing={missing} /> : children)}
    </Shown>
  );
}

function missingOf(names: readonly string[], runs: readonly RunLine[], isData: boolean): Missing {
  for (const run of names) {
    const found = runs.find(({ name }) => name === run);
    if (found && (isData || found.status === 'done')) continue;
    const done = runs.filter(({ status }) => status === 'done').map(({ name }) => name);
    return { run, ...(found && { state: found.status }), runs: done.slice(0, MOST) };
  }
  return undefined;
}

function Unknown({ project, missing }: { project: string; missing: NonNullable<Missing> }) {
  const { section } = place.value;
  const [key] = keysOf(section);
  const isProject = 'projects' in missing;
  const sentence = isProject
    ? words.noProject(project)
    : missing.state === undefined
      ? words.noRun(missing.run)
      : words.notDone(missing.run, missing.state);
  const links = isProject
    ? missing.projects.map((name) => ({ name, to: addressOf(name, section) }))
    : missing.runs.map((name) => ({ name, to: addressOf(project, section, { [key]: name }) }));
  return (
    <>
      <h1>{words.sections[section]}</h1>
      <div class="banner" role="alert">
        <p>{sentence}</p>
      </div>
      <p>{isProject ? words.thereAreProjects(links.length) : words.thereAreRuns(links.length)}</p>
      <ul>
        {links.map(({ name, to }) => (
          <li key={name}>
            <Link to={to}>{name}</Link>
          </li>
        ))}
      </ul>
      <p>
        {isProject ? (
          <Link to="/">{words.allProjects}</Link>
        ) : missing.state === undefined ? (
          links.length === 0 && <Link to={addressOf(project, 'train')}>{words.toTrain}</Link>
        ) : (
          <Link to={addressOf(project, 'train')}>{words.toJobs}</Link>
        )}
      </p>
    </>
  );
}
