/** The list of projects. */
import type { ProjectList } from '../../../src/studio/answers.ts';
import { get } from '../api.ts';
import { Shown, useAsked } from '../components/asked.tsx';
import { Link } from '../components/link.tsx';
import { addressOf } from '../place.ts';
import { words } from '../words.ts';

export function Home() {
  const asked = useAsked((signal) => get<ProjectList>('/projects', signal));
  return (
    <>
      <h1>{words.projects}</h1>
      <Shown asked={asked}>
        {({ projects }) => (
          <ul>
            {projects.map(({ name }) => (
              <li key={name}>
                <Link to={addressOf(name, 'data')}>{name}</Link>
              </li>
            ))}
          </ul>
        )}
      </Shown>
    </>
  );
}
