/**
 * Fitting. A gradient model runs its phases, K iterations per call of the runtime: every batch, draw and rate is a
 * function of the iteration alone, so K, which follows the clock, changes nothing but the speed, and a run that was cut
 * goes on to the same bytes. Models that learn by statistics get one pass over the data.
 */
import { InternalError } from '../../core/errors.ts';
import type { Tensors } from '../../core/tensor.ts';
import type { AnyModel, TrainingPhase } from '../../models/index.ts';
import type { ProfileRow, Runtime } from '../../runtime/index.ts';
import { orAbort } from './cancel.ts';
import type { FitOptions, FitResult, FitState } from './contract.ts';
import { Feeder } from './feeder.ts';
import { fitData } from './items.ts';
import { type Clock, openPhase, PhaseRun } from './phase-run.ts';
import { planOf } from './plan.ts';
import { requireFinite } from './tensors.ts';

/** Fits a model. Throws Cancelled, and TrainingDiverged when a loss or a parameter is not finite. */
export async function fitModel(options: FitOptions): Promise<FitResult> {
  const { model, config, source, from, save } = options;
  if (model.learns === 'gradient') return fitByGradient(options, model.phases(config, source.shape));
  if (from && from.phase > 0) return { tensors: from.tensors, history: [], stepsPerSecond: null };
  const learnt = model.learns === 'statistics' ? await learn(options, model) : {};
  const tensors = { ...options.pretrained, ...learnt };
  requireFinite(tensors, `${model.name}: a learnt tensor`);
  await save({ phase: 1, iteration: 0, tensors, history: [], sums: [] });
  return { tensors, history: [], stepsPerSecond: null };
}

function learn({ former, ...options }: FitOptions, model: AnyModel & { learns: 'statistics' }): Promise<Tensors> {
  if (!former) return model.fit(options.config, fitData(options));
  if (!model.update) throw new InternalError(`${model.name} cannot be updated.`);
  const train = options.train.subarray(former.kept.length);
  return model.update(options.config, former.tensors, former.kept, fitData({ ...options, train }));
}

async function fitByGradient(options: FitOptions, phases: readonly TrainingPhase[]): Promise<FitResult> {
  const { from } = options;
  const read = phases.map((phase) => readBy(phase, options));
  const plans = phases.map((phase, i) => planOf(phase, read[i]));
  const before = plans.slice(0, from?.phase ?? 0).reduce((n, p) => n + p.total, 0);
  const clock: Clock = {
    total: plans.reduce((n, p) => n + p.total, 0),
    done: before + (from?.iteration ?? 0),
    steps: 0,
    milliseconds: 0,
  };
  let state: FitState = from ?? { phase: 0, iteration: 0, tensors: { ...options.pretrained }, history: [], sums: [] };
  const profiles: ProfileRow[] = [];
  while (state.phase < plans.length) {
    const run = new PhaseRun(read[state.phase], plans[state.phase], state, clock);
    const { tensors, history } = await run.fit(profiles);
    state = { phase: state.phase + 1, iteration: 0, tensors, history, sums: [] };
    await options.save(state);
  }
  return {
    tensors: state.tensors,
    history: state.history,
    stepsPerSecond: clock.steps > 0 ? (1000 * clock.steps) / clock.milliseconds : null,
    ...(options.profile && { profile: profiles }),
  };
}

/** Held-out normals that a phase can measure something on; with fewer it reads the training items. */
const LEAST_HELD_OUT = 10;

/** The options with the items that a phase reads. */
function readBy({ of }: TrainingPhase, options: FitOptions): FitOptions {
  const { heldOut } = options;
  if (of !== 'held-out' || !heldOut || heldOut.length < LEAST_HELD_OUT) return options;
  return { ...options, train: heldOut, labels: undefined, augment: undefined };
}

/** A training step on a device, for measuring: the first call on a runtime also compiles. */
export function stepTrial(
  data: Pick<FitOptions, 'source' | 'train' | 'labels' | 'rng' | 'augment' | 'readTextures' | 'signal'>,
  phases: readonly TrainingPhase[],
): (runtime: Runtime) => Promise<void> {
  const plan = planOf(phases[0], { train: data.train, onEvent: () => {} });
  const open = new WeakMap<Runtime, ReturnType<typeof openPhase>>();
  return async (runtime) => {
    const opening = open.get(runtime) ?? openPhase(data, plan, {}, runtime);
    open.set(runtime, opening);
    const { assembled, session } = await orAbort(opening, data.signal);
    const feeds = await new Feeder(assembled, session, data, plan).at(0, 1);
    await session.run(feeds, { fetch: assembled.metrics, signal: data.signal });
  };
}
