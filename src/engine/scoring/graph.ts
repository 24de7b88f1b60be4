/** A trained model as one graph: an item in; score, map and reconstruction out; every learnt tensor a constant. */
import { DataError, InternalError } from '../../core/errors.ts';
import type { ItemShape } from '../../core/item-shape.ts';
import { sameShape, show } from '../../core/shape.ts';
import type { Tensors } from '../../core/tensor.ts';
import { constant, input } from '../../graph/leaf.ts';
import type { Program } from '../../graph/program.ts';
import { substitute } from '../../graph/substitute.ts';
import type { Value } from '../../graph/value.ts';
import { kindOf } from '../../kinds/index.ts';
import type { AnyModel, Scoring } from '../../models/index.ts';
import { Trace } from '../../nn/scope.ts';
import { hasMapStatistics, normalizeMap } from './map-normalization.ts';

/**
 * The scoring program of a model, with the batch size symbolic; `x` is the input that stands for items. Throws DataError
 * `missing-tensor` or `tensor-shape`.
 */
export function scoringProgram(
  model: AnyModel,
  // biome-ignore lint/suspicious/noExplicitAny: each model types its own options.
  config: any,
  shape: ItemShape,
  tensors: Tensors,
  x: Value = input(kindOf(shape).input.name, ['N', ...shape]),
): Program {
  const trace = new Trace(false, tensors);
  const scoring: Scoring = model.score(config, (group) => trace.group(group), x);
  if (trace.draws.size > 0) throw new InternalError(`${model.name} draws random numbers while it scores.`);
  const outputs: Record<string, Value> = { score: scoring.score, map: scoring.map };
  if (model.pool && hasMapStatistics(tensors)) {
    outputs.map = normalizeMap(scoring.map, tensors);
    outputs.score = model.pool(config, outputs.map);
  }
  if (scoring.reconstruction) outputs.reconstruction = scoring.reconstruction;
  if (scoring.nearest) outputs.nearest = scoring.nearest;
  return { name: `${model.name}-score`, outputs: bind(model.name, outputs, trace, tensors), carry: {} };
}

/**
 * The same outputs with every parameter and buffer that a trace asked for as a constant. `owner` is named in messages.
 * Throws DataError `missing-tensor` or `tensor-shape`.
 */
export function bind(
  owner: string,
  outputs: Readonly<Record<string, Value>>,
  trace: Trace,
  tensors: Tensors,
): Record<string, Value> {
  const replacements = new Map<Value, Value>();
  for (const [name, { value }] of [...trace.parameters, ...trace.buffers]) {
    const learnt = tensors[name];
    if (!learnt) {
      throw new DataError('missing-tensor', `${owner} needs the tensor ${name}, which was not learnt. Train again.`);
    }
    if (!sameShape(value.shape, learnt.shape)) {
      throw new DataError(
        'tensor-shape',
        `${owner} needs ${name} with the shape ${show(value.shape)}, found ${show(learnt.shape)}. ` +
          'The tensors are those of another network.',
      );
    }
    replacements.set(value, constant(learnt));
  }
  const bound = substitute(Object.values(outputs), replacements);
  return Object.fromEntries(Object.keys(outputs).map((name, i) => [name, bound[i]]));
}
