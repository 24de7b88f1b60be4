/** Training: ways that need no knowledge, a quick comparison, every option, and the jobs with how they stand. */
import { useSignal } from '@preact/signals';
import type { Plan, ShownJob } from '../../../src/studio/jobs/answers.ts';
import { at, get, send } from '../api.ts';
import { Shown, useAsked } from '../components/asked.tsx';
import { Link } from '../components/link.tsx';
import { JobCard } from '../components/train/job-card.tsx';
import { Plans } from '../components/train/plans.tsx';
import { type Draft, draftOf, emptyDraft, TrainForm } from '../components/train/train-form.tsx';
import { addressOf } from '../place.ts';
import { trainWords as say } from '../words/train.ts';
import { words } from '../words.ts';
import './train.css';

/** Jobs that ended and are shown without being asked for. */
const SHOWN = 6;

export function TrainPage({ project }: { project: string }) {
  const draft = useSignal<Draft>(emptyDraft);
  const isOpen = useSignal(false);
  const needed = useSignal('');
  // What is trained on is the data as they are now.
  const version = useAsked(
    async () => (await send<{ hash: string }>('POST', at(project, '/versions'), {})).hash,
    ['items'],
  );
  const add = async (kind: string, options: object, name = '') => {
    const data = { version: version.value.peek() };
    await send<ShownJob>('POST', at(project, '/jobs'), {
      ...{ kind, options: { ...options, data } },
      ...(name !== '' && { name }),
    });
    document.getElementById('jobs')?.focus();
  };
  const adjust = (options: Plan['options']) => {
    draft.value = draftOf(options);
    isOpen.value = true;
    // Its fields come with the next frames.
    setTimeout(() => document.getElementById('train-model')?.focus(), 300);
  };
  return (
    <>
      <h1>{words.sections.train}</h1>
      <p>{say.lead}</p>
      {version.fault.value && (
        <p>
          <Link to={addressOf(project, 'data')}>{say.toData}</Link>
        </p>
      )}
      <Shown asked={version}>
        {(hash) => (
          <>
            <Plans
              project={project}
              version={hash}
              train={(options) => add('train', options)}
              adjust={adjust}
              needed={needed}
            />
            <Try begin={() => add('try', {})} isBlocked={needed.value !== ''} />
          </>
        )}
      </Shown>
      <Jobs project={project} adjust={adjust} />
      {version.value.value !== undefined && (
        <details
          open={isOpen.value}
          onToggle={({ currentTarget }) => {
            isOpen.value = currentTarget.open;
          }}
        >
          <summary>
            <h2 style="display: inline">{say.form}</h2>
          </summary>
          <p class="soft">{say.formAbout}</p>
          {isOpen.value && (
            <TrainForm
              project={project}
              version={version.value.value}
              draft={draft}
              isBlocked={needed.value !== ''}
              train={(options, name) => add('train', options, name)}
            />
          )}
        </details>
      )}
    </>
  );
}

function Try({ begin, isBlocked }: { begin(): Promise<void>; isBlocked: boolean }) {
  const fault = useSignal('');
  return (
    <section>
      <h2>{say.compare}</h2>
      <p class="row">
        <button
          type="button"
          disabled={isBlocked}
          onClick={() => {
            fault.value = '';
            begin().catch((error: Error) => {
              fault.value = error.message;
            });
          }}
        >
          {say.try}
        </button>
        <small>{say.tryAbout}</small>
      </p>
      {fault.value && (
        <p class="banner" role="alert">
          {fault.value}
        </p>
      )}
    </section>
  );
}

function Jobs({ project, adjust }: { project: string; adjust(options: Plan['options']): void }) {
  const isWhole = useSignal(false);
  const asked = useAsked(
    async (signal) => {
      const { jobs } = await get<{ jobs: readonly ShownJob[] }>(at(project, '/jobs'), signal);
      // What the page begins by itself is shown where what it makes is.
      return jobs.filter(({ command }) => command !== undefined);
    },
    ['jobs'],
  );
  return (
    <section>
      <h2 id="jobs" tabIndex={-1}>
        {say.jobs}
      </h2>
      <Shown asked={asked}>
        {(jobs) => {
          if (jobs.length === 0) return <p class="soft">{say.noJobs}</p>;
          const sorted = [...jobs].sort((a, b) => rank(a) - rank(b));
          const shown = isWhole.value ? sorted : sorted.filter((job, i) => rank(job) < 2 || i < SHOWN);
          return (
            <>
              <ul class="jobs">
                {shown.map((job) => (
                  <JobCard key={job.id} project={project} job={job} adjust={adjust} />
                ))}
              </ul>
              {shown.length < jobs.length && (
                <button
                  type="button"
                  onClick={() => {
                    isWhole.value = true;
                  }}
                >
                  {say.showAll(jobs.length)}
                </button>
              )}
            </>
          );
        }}
      </Shown>
    </section>
  );
}

/** What runs comes first, then what waits; the order of each stays. */
const rank = ({ state }: ShownJob) => (state === 'running' ? 0 : state === 'waiting' ? 1 : 2);
