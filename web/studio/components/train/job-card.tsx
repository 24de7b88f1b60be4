/** A job: how it stands, its stages, curves and log while it runs, what came of it, and what does the same elsewhere. */
import { useSignal, useSignalEffect } from '@preact/signals';
import type { ShownJob } from '../../../../src/studio/jobs/answers.ts';
import { at, send } from '../../api.ts';
import { addressOf } from '../../place.ts';
import { durationText, trainWords as say } from '../../words/train.ts';
import { Command } from '../command.tsx';
import { Link } from '../link.tsx';
import { Curves } from './curves.tsx';
import { type Heard, useHeard } from './heard.ts';
import { Log } from './log.tsx';
import { Result } from './result.tsx';

interface CardProps {
  readonly project: string;
  readonly job: ShownJob;
  /** Opens the form with options. */
  adjust(options: ShownJob['options']): void;
}

export function JobCard({ project, job, adjust }: CardProps) {
  const isShown = useSignal(false);
  const fault = useSignal('');
  const title = job.run === undefined ? job.title : `${job.title}: ${job.run}`;
  const act = async (action: 'cancel' | 'resume') => {
    fault.value = '';
    await send('POST', at(project, `/jobs/${job.id}/${action}`), {}).catch((error: Error) => {
      fault.value = error.message;
    });
  };
  const mayCancel = job.state === 'running' || job.state === 'waiting';
  const isRun = job.state === 'done' && (job.kind === 'train' || job.kind === 'update');
  return (
    <li class="job">
      <div class="row">
        <h3>{title}</h3>
        <span class={`state ${job.state}`}>{say.states[job.state]}</span>
        <Elapsed job={job} />
        {isRun && job.run !== undefined && (
          <Link to={addressOf(project, 'evaluate', { run: job.run })} class="button">
            {say.evaluate}
            <span class="hidden"> {job.run}</span>
          </Link>
        )}
        {mayCancel && (
          <button type="button" aria-label={say.ofJob(say.cancel, title)} onClick={() => act('cancel')}>
            {say.cancel}
          </button>
        )}
        {job.mayResume && (
          <button type="button" aria-label={say.ofJob(say.resume, title)} onClick={() => act('resume')}>
            {say.resume}
          </button>
        )}
      </div>
      {fault.value && (
        <p class="banner" role="alert">
          {fault.value}
        </p>
      )}
      {job.error && (
        <div class="banner">
          <p>{job.error.message}</p>
          {job.state === 'failed' && !job.mayResume && (
            <p class="row">
              <span>{say.notResumed}</span>
              <Link to={addressOf(project, 'data')}>{say.toLabels}</Link>
              {job.kind === 'train' && (
                <button type="button" aria-label={say.ofJob(say.adjust, title)} onClick={() => adjust(optionsOf(job))}>
                  {say.adjust}
                </button>
              )}
            </p>
          )}
        </div>
      )}
      <Result job={job} />
      {job.state === 'running' || isShown.value ? (
        <Details project={project} job={job} title={title} />
      ) : (
        <button
          type="button"
          class="plain"
          aria-label={say.ofJob(say.log, title)}
          onClick={() => {
            isShown.value = true;
          }}
        >
          {say.log}
        </button>
      )}
    </li>
  );
}

/** Of a training, as its form has them: data and folder are those of the next one. */
function optionsOf({ options: { data: _, out: __, kind: ___, ...own } }: ShownJob): ShownJob['options'] {
  return own;
}

function Details({ project, job, title }: { project: string; job: ShownJob; title: string }) {
  const heard = useHeard(project, job.id).value;
  return (
    <>
      <Stages heard={heard} isRunning={job.state === 'running'} />
      <Curves curves={heard.curves} />
      <Log lines={heard.lines} title={title} isOpen={job.state !== 'running'} />
      {job.command !== undefined && <Command text={job.command} />}
      {job.code !== undefined && <Command text={job.code} label={say.code} />}
    </>
  );
}

function Stages({ heard, isRunning }: { heard: Heard; isRunning: boolean }) {
  if (heard.stages.length === 0) return null;
  return (
    <ol class="stages" aria-label={say.stages}>
      {heard.stages.map(({ task, done, total, rate }) => {
        const isCurrent = isRunning && task === heard.current && done < total;
        const seconds = isCurrent && rate ? (total - done) / rate : undefined;
        return (
          <li key={task} aria-current={isCurrent ? 'step' : undefined}>
            <span>{say.stage(task)}</span>{' '}
            <span class="soft n">
              {say.of(done, total)}
              {seconds !== undefined && `, ${say.left(durationText(seconds))}`}
            </span>
            {isCurrent && <progress aria-label={say.stage(task)} value={done} max={total} />}
          </li>
        );
      })}
    </ol>
  );
}

/** How long it ran, counted while it does. */
function Elapsed({ job: { state, startedAt, endedAt } }: { job: ShownJob }) {
  const now = useSignal(Date.now());
  useSignalEffect(() => {
    const timer = setInterval(() => {
      now.value = Date.now();
    }, 1000);
    return () => clearInterval(timer);
  });
  if (startedAt === undefined || state === 'waiting') return null;
  if (state === 'running')
    return <span class="soft">{say.since(durationText((now.value - Date.parse(startedAt)) / 1000))}</span>;
  if (endedAt === undefined) return null;
  return <span class="soft">{say.took(durationText((Date.parse(endedAt) - Date.parse(startedAt)) / 1000))}</span>;
}
