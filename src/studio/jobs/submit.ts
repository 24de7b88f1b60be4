/** From what a page asks for to the options of a job: data by their version, runs by their names, folders that the server makes. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { ConfigError, OddityError } from '../../core/errors.ts';
import { type Words, write } from '../../core/text.ts';
import type { Job } from '../../jobs/job.ts';
import { checkJobOptions, findJobKind } from '../../jobs/kinds.ts';
import { findModel } from '../../models/index.ts';
import type { TrainOptions } from '../../runs/index.ts';
import { resolveRun } from '../../runs/resolve.ts';
import { Problem } from '../../server/problem.ts';
import { versionsOf } from '../data/versions.ts';
import { type Project, projectFiles } from '../project.ts';
import { runFolder } from '../runs.ts';
import type { Preview, ShownJob } from './answers.ts';
import { codeOf, commandOf } from './command.ts';
import { relabelled } from './relabelled.ts';

/** What a page asks for. Of a training `data` is `{version}`, or the newest version without; of work on a run `run` is its name. */
export const jobRequest = z.strictObject({
  kind: z.string(),
  options: z.record(z.string(), z.unknown()).default({}),
  /** How the run, or the export, is to be called. */
  name: z
    .string()
    .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u, 'a name of letters, digits, spaces, dots, hyphens and underscores')
    .optional(),
});
export type JobRequest = z.output<typeof jobRequest>;

/** A job that could be added. */
interface Prepared {
  readonly kind: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly run?: string;
}

/** The last job that is being added to each project. */
const turns = new WeakMap<Project, Promise<unknown>>();

/** Adds a job. Throws ConfigError for options that cannot be, Problem for versions and runs that are not there. */
export async function submit(project: Project, request: JobRequest): Promise<Job> {
  // Each knows the names that those before it took.
  const turn = (turns.get(project) ?? Promise.resolve()).then(async () => {
    const { kind, options, run } = await prepare(project, request);
    check(kind, options);
    const job = await project.queue.add(kind, options, { run });
    await endMeasuring(project);
    return job;
  });
  turns.set(
    project,
    turn.catch(() => {}),
  );
  return turn;
}

/** What nobody asked for gives way to what somebody did: it is measured once the machine is idle again. */
async function endMeasuring({ queue }: Project): Promise<void> {
  for (const { id, kind, state } of await queue.list()) {
    if (kind !== 'measure' || (state !== 'waiting' && state !== 'running')) continue;
    queue.cancel(id).catch(() => {}); // it ended meanwhile, or the queue was closed
  }
}

/** What a job would be, or why it cannot be. */
export async function preview(project: Project, request: JobRequest, words: Words): Promise<Preview> {
  const prepared = await prepare(project, request);
  const shown = { command: commandOf(prepared, words), code: codeOf(prepared) };
  try {
    check(prepared.kind, prepared.options);
    return shown;
  } catch (error) {
    if (!(error instanceof OddityError)) throw error;
    return { ...shown, fault: { message: error.message, ...(error.facts && { option: error.facts.option }) } };
  }
}

/** A job with what does the same elsewhere, in the words of an interface. */
export function shown(job: Job, words: Words): ShownJob {
  const { error } = job;
  const kind = findJobKind(job.kind);
  return {
    ...job,
    ...(error && { error: { ...error, message: error.text ? write(error.text, words) : error.message } }),
    title: kind.title,
    mayResume: mayResume(job),
    ...(!kind.isInternal && { command: commandOf(job, words), code: codeOf(job) }),
  };
}

/** One that ended early; not where options or data were at fault, which would be so again. */
function mayResume({ state, error }: Job): boolean {
  const isLasting = state === 'failed' && (error?.name === 'ConfigError' || error?.name === 'DataError');
  return !isLasting && (state === 'cancelled' || state === 'failed' || state === 'interrupted');
}

/** By the schema of the kind, and of a training also as `train` itself does before it reads anything. */
function check(kind: string, options: Prepared['options']): void {
  checkJobOptions(findJobKind(kind), options);
  if (kind === 'train' && options.model !== undefined) resolveRun(options as unknown as TrainOptions);
}

async function prepare(project: Project, { kind, options, name }: JobRequest): Promise<Prepared> {
  if (findJobKind(kind).isInternal)
    throw new ConfigError('unknown-job-kind', `A job of the kind "${kind}" is begun where what it makes is shown.`);
  if ('out' in options)
    throw new ConfigError('unknown-option', `The folder of a job is made by the server. Give a name.`);
  const files = projectFiles(project.folder);
  if (kind === 'train' || kind === 'try' || kind === 'clean') {
    const { data, ...others } = options;
    const rest = { ...ofVersion(project, data, kind), ...others };
    if (kind === 'try') return { kind, options: rest };
    if (kind === 'clean') return { kind, options: { ...rest, out: join(files.cache, 'clean', name ?? stamp()) } };
    const run = await freeName(project, name ?? `${others.model ?? 'auto'}-${stamp()}`);
    return { kind, options: { ...rest, ...protocolFor(others), out: join(files.runs, run) }, run };
  }
  if (typeof options.run !== 'string') throw new Problem(400, 'bad-body', '"run" must be the name of a run.');
  const run = await runFolder(project, options.run);
  if (kind === 'update') {
    const own = await freeName(project, name ?? `${options.run}-update`);
    // What people said of images stands in the feedback of the run, and in the labels of the project.
    const remove = options.feedback === true && options.remove === undefined ? await relabelled(project, run) : [];
    const changes = { ...options, ...(remove.length > 0 && { remove }) };
    return { kind, options: { ...changes, run, out: join(files.runs, own) }, run: own };
  }
  if (kind === 'export') {
    const folder = name ?? `${options.run.replaceAll('/', '-')}-${options.precision ?? 'float32'}`;
    return { kind, options: { ...options, run, out: join(files.exports, folder) }, run: options.run };
  }
  return { kind, options: { ...options, run }, run: options.run };
}

/** Models that learn from labelled anomalies need them in the training part. */
function protocolFor({ model, protocol }: JobRequest['options']): { protocol?: string } {
  if (protocol !== undefined || typeof model !== 'string') return {};
  try {
    return findModel(model).learning === 'supervised' ? { protocol: 'labelled' } : {};
  } catch {
    return {}; // an unknown name is refused with the other options
  }
}

/** Where a version lies, and what it holds; the newest where none is named. */
export function ofVersion(project: Project, data: unknown, kind?: string): Record<string, unknown> {
  const known = versionsOf(project);
  if (data === undefined && known.length === 0) {
    throw new Problem(409, 'no-version', 'There are no data to train on yet. Bring some in on the page Data first.');
  }
  const hash = data === undefined ? known[0].hash : (data as { version?: unknown } | null)?.version;
  if (typeof hash !== 'string') {
    throw new Problem(400, 'bad-body', '"options.data" must name a version, as {"version": "<hash>"}.');
  }
  const version = known.find((one) => one.hash === hash);
  if (!version) throw new Problem(404, 'unknown-version', `There is no version "${hash}" of the data here.`);
  // `clean` looks at images and rows as they are.
  const { kind: rowsAs, ...others } = version.options;
  return kind === 'clean' ? others : { ...others, ...(rowsAs && { kind: rowsAs }) };
}

const stamp = () => new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');

/** A name that no run has, also none that is still to come. */
export async function freeName({ folder, queue }: Project, wanted: string): Promise<string> {
  const base = wanted.replace(/[^\p{L}\p{N} ._-]+/gu, '-').slice(0, 80);
  const taken = new Set((await queue.list()).map(({ run }) => run));
  for (let i = 1; ; i++) {
    const name = i === 1 ? base : `${base}-${i}`;
    if (!taken.has(name) && !existsSync(join(projectFiles(folder).runs, name))) return name;
  }
}
