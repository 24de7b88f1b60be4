/** Ways to train that need no knowledge of options: the default with its reason, and a fast, a balanced and an accurate one. */

import { arch, availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '../../core/errors.ts';
import type { ItemKind } from '../../core/item-shape.ts';
import type { Words } from '../../core/text.ts';
import type { Job } from '../../jobs/job.ts';
import type { Measurement } from '../../jobs/measure.ts';
import { findKind } from '../../kinds/index.ts';
import { startModel } from '../../models/index.ts';
import { versionsOf } from '../data/versions.ts';
import { readFact } from '../facts.ts';
import { type Project, projectFiles } from '../project.ts';
import type { Estimate, Plan, PlanName, Plans } from './answers.ts';
import { commandOf } from './command.ts';
import { neededFor } from './needed.ts';
import { freeName, ofVersion } from './submit.ts';

type Ways = Readonly<Record<Exclude<PlanName, 'default'>, Pick<Plan, 'options' | 'reason'>>>;

const ways: Readonly<Partial<Record<ItemKind, Ways>>> = {
  image: {
    fast: {
      options: { model: 'dfm', size: [128, 128] },
      reason: 'Small images and one pass of statistics over their features. Defects of a few pixels may be lost.',
    },
    balanced: {
      options: { model: 'patchcore', size: [256, 256] },
      reason: 'Compares every place of an image with places of good ones.',
    },
    accurate: {
      options: { model: 'patchcore', size: [384, 384] },
      reason: 'The same with larger images: smaller defects are seen, and training and scoring take longer.',
    },
  },
  table: {
    fast: {
      options: { model: 'ecod' },
      reason: 'Looks at the tails of each column. It sees no odd combination of values.',
    },
    balanced: { options: { model: 'knn' }, reason: 'Compares rows with their nearest neighbours among normal ones.' },
    accurate: { options: { model: 'ensemble' }, reason: 'Joins four unlike detectors: each sees what others miss.' },
  },
  series: {
    fast: { options: { model: 'moving-z-score' }, reason: 'Compares each value with those just before it.' },
    balanced: {
      options: { model: 'sub-pca' },
      reason: 'Finds level shifts and odd shapes by the components of windows.',
    },
    accurate: {
      options: { model: 'knn', kind: 'series' },
      reason: 'Compares each window with its nearest neighbours: best where shapes repeat, and slower.',
    },
  },
  clip: {
    fast: { options: { model: 'frame-difference' }, reason: 'Sees only how much changes from frame to frame.' },
    balanced: { options: { model: 'frame-knn' }, reason: 'Compares how things move and look with normal frames.' },
    accurate: {
      options: { model: 'frame-knn', size: [256, 256] },
      reason: 'The same with larger frames: smaller things are seen, and it takes longer.',
    },
  },
};

/** Seconds that the choice among detectors for images takes at most, as it plans. */
const CHOICE = 180;
/** A measured time, carried on to the whole, is given from and to such multiples of it: work of some models grows faster than the data. */
const SPREAD = { seconds: [0.7, 2], memory: [0.9, 1.5] } as const;

const defaultPlan = (kind: ItemKind): Plan => {
  const { items } = findKind(kind).words;
  const start = startModel(kind);
  const reason =
    kind === 'image'
      ? 'Tries several detectors on defects planted into your good images, and trains the one that finds most of them.'
      : kind === 'series'
        ? 'Looks at whether windows of the series repeat, and takes the detector that suits that.'
        : `Takes ${start?.model.name}, the one to start with for ${items}: it ${start?.why}.`;
  return { name: 'default', options: {}, reason };
};

/** The ways for items of a kind, the default first. */
export const plansOf = (kind: ItemKind): Plan[] => [
  defaultPlan(kind),
  ...Object.entries(ways[kind] ?? {}).map(([name, way]) => ({ name: name as PlanName, ...way })),
];

/** The kind of a project's items. Throws ConfigError before data came in. */
export function kindOf(project: Project): ItemKind {
  const kind = readFact(project, 'kind');
  if (!kind)
    throw new ConfigError('no-data', 'There are no data in this project yet. Bring some in on the page Data first.');
  return kind;
}

/** The ways of a project, with what the newest measurement of a version of its data says. */
export async function projectPlans(project: Project, version: string | undefined, words: Words): Promise<Plans> {
  const kind = kindOf(project);
  const wanted = version ?? versionsOf(project)[0]?.hash;
  const given = wanted === undefined ? undefined : ofVersion(project, { version: wanted });
  const data = given?.data;
  const plans: Plan[] = [];
  for (const plan of plansOf(kind)) {
    if (!given) {
      plans.push(plan);
      continue;
    }
    const out = join(projectFiles(project.folder).runs, await freeName(project, plan.name));
    const options = { ...given, ...plan.options, out };
    plans.push({ ...plan, command: commandOf({ kind: 'train', options }, words) });
  }
  const measured = await measurementsOf(project, data);
  const isMeasuring = measured.some(isAtWork);
  const isKnown = measured.some(({ state }) => state === 'done' || state === 'failed' || state === 'interrupted');
  const isIdle = !(await project.queue.list()).some(isAtWork);
  const needed = neededFor(project, kind);
  const state = {
    isMeasuring,
    mayMeasure: !isKnown && isIdle && needed === undefined && given !== undefined && measurable(kind),
    ...(needed !== undefined && { needed }),
  };
  const done = measured.find(({ state }) => state === 'done')?.result as Measurement[] | undefined;
  return { ...state, plans: done ? plans.map((plan) => withEstimate(plan, kind, done)) : plans };
}

const isAtWork = ({ state }: Job) => state === 'waiting' || state === 'running';

/** What times depend on: those of another machine say nothing here. */
const machine = `${cpus()[0]?.model ?? arch()} × ${availableParallelism()}, ${Math.round(totalmem() / 2 ** 30)} GiB`;

const measurable = (kind: ItemKind) => kind === 'image' || kind === 'table' || kind === 'series';

/** The measurements of a version on this machine, the newest first. */
const measurementsOf = async ({ queue }: Project, data: unknown): Promise<Job[]> =>
  (await queue.list()).filter(
    ({ kind, options }) => kind === 'measure' && options.data === data && options.machine === machine,
  );

/** Begins to measure the ways of a project; one measurement at a time is enough. Throws Problem where there is no version. */
export async function measurePlans(project: Project, version: string | undefined): Promise<Job | undefined> {
  const kind = kindOf(project);
  if (!measurable(kind)) {
    throw new ConfigError('no-measure', `How long trainings on ${findKind(kind).words.items} take is not measured.`);
  }
  const { data, kind: _, ...reading } = ofVersion(project, version === undefined ? undefined : { version });
  if ((await measurementsOf(project, data)).some(isAtWork)) return undefined;
  const plans = plansOf(kind)
    .filter(({ name }) => name !== 'default')
    .map(({ name, options: { kind: _, ...options } }) => ({ name, options }));
  return project.queue.add('measure', { ...reading, machine, data, kind, plans });
}

function withEstimate(plan: Plan, kind: ItemKind, measured: readonly Measurement[]): Plan {
  // The default for images tries first and then trains something like the balanced way; for others it is one of the ways.
  const like = kind === 'image' ? 'balanced' : 'accurate';
  const found = measured.find(({ name }) => name === (plan.name === 'default' ? like : plan.name));
  if (!found) return plan;
  if ('problem' in found) return { ...plan, problem: found.problem };
  const tries = plan.name === 'default' && kind === 'image';
  const { items } = findKind(kind).words;
  const [small, large, all] = found.items;
  const part =
    large === all
      ? `Measured here by training on all ${all} ${items}`
      : `Measured here by training on ${small} and ${large} of ${all} ${items}, and carried on to all of them`;
  const busy = 'With other work on the machine it takes longer.';
  const estimate: Estimate = {
    seconds: [SPREAD.seconds[0] * found.seconds, SPREAD.seconds[1] * found.seconds + (tries ? CHOICE : 0)],
    memory: [SPREAD.memory[0] * found.memory, SPREAD.memory[1] * found.memory],
    how: tries
      ? `${part}, with the ${like} way; trying detectors takes ${CHOICE} s at most before that. ${busy}`
      : `${part}. ${busy}`,
  };
  return { ...plan, estimate };
}
