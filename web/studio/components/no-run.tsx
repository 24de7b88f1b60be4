import { addressOf } from '../place.ts';
import { words } from '../words.ts';
import { Link } from './link.tsx';

/** What sections about a run show of a project without a finished one. */
export function NoRun({ project }: { project: string }) {
  return (
    <p>
      {words.noRunYet} <Link to={addressOf(project, 'train')}>{words.train}</Link>
    </p>
  );
}
