import { addressOf } from '../place.ts';
import { inspectWords } from '../words/inspect.ts';
import { Command } from './command.tsx';
import { isAtWork, useJob } from './job.ts';
import { Link } from './link.tsx';

const { learn: words } = inspectWords;

/** What people said becomes part of a detector: by an update where it can, else by a new training. */
export function LearnAgain({ project, run, canUpdate }: { project: string; run: string; canUpdate: boolean }) {
  const { job, fault, begin } = useJob(project);
  const found = job.value;
  const said = fault.value || found?.error?.message;
  return (
    <section>
      <h2>{words.title}</h2>
      <p class="soft">{canUpdate ? words.updateAbout : words.trainAbout}</p>
      {canUpdate ? (
        <button type="button" disabled={isAtWork(found)} onClick={() => begin('update', { run, feedback: true })}>
          {words.update}
        </button>
      ) : (
        <Link to={addressOf(project, 'train')}>{words.train}</Link>
      )}
      <div role="status">
        {isAtWork(found) && <p>{words.working}</p>}
        {said && (
          <p class="banner">
            {said} <Link to={addressOf(project, 'train')}>{words.train}</Link>
          </p>
        )}
        {found?.state === 'done' && found.run !== undefined && (
          <p>
            <Link to={addressOf(project, 'evaluate', { run: found.run })}>{words.done(found.run)}</Link>{' '}
            <Link to={addressOf(project, 'compare', { a: run, b: found.run })}>{words.compare}</Link>
          </p>
        )}
      </div>
      {found?.command && <Command text={found.command} />}
    </section>
  );
}
