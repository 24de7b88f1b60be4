/** A trained model as one graph: image in; score, map and reconstruction out; every learnt tensor a constant. */
import { DataError, InternalError } from '../core/errors.ts';
import { sameShape, show } from '../core/shape.ts';
import type { Tensors } from '../core/tensor.ts';
import { constant, input } from '../graph/leaf.ts';
import type { Program } from '../graph/program.ts';
import { substitute } from '../graph/substitute.ts';
import type { Value } from '../graph/value.ts';
import type { AnyModel, ImageShape, Scoring } from '../models/index.ts';
import { Trace } from '../nn/scope.ts';
import { hasMapStatistics, normalizeMap } from './map-normalization.ts';

/** Names of the graph's ends: what any ONNX host sees. */
export const imageInput = 'image';

/** The scoring program of a model, with the batch size symbolic. Throws DataError `missing-tensor` or `tensor-shape`. */
export function scoringProgram(
  model: AnyModel,
  // biome-ignore lint/suspicious/noExplicitAny: each model types its own options.
  config: any,
  shape: ImageShape,
  tensors: Tensors,
): Program {
  const trace = new Trace(false, tensors);
  const x = input(imageInput, ['N', ...shape]);
  const scoring: Scoring = model.score(config, (group) => trace.group(group), x);
  if (trace.draws.size > 0) throw new InternalError(`${model.name} draws random numbers while it scores.`);
  const outputs: Record<string, Value> = { score: scoring.score, map: scoring.map };
  if (model.pool && hasMapStatistics(tensors)) {
    outputs.map = normalizeMap(scoring.map, tensors);
    outputs.score = model.pool(config, outputs.map);
  }
  if (scoring.reconstruction) outputs.reconstruction = scoring.reconstruction;
  const replacements = new Map<Value, Value>();
  for (const [name, { value }] of [...trace.parameters, ...trace.buffers]) {
    const learnt = tensors[name];
    if (!learnt) {
      throw new DataError(
        'missing-tensor',
        `${model.name} needs the tensor ${name}, which was not learnt. Train again.`,
      );
    }
    if (!sameShape(value.shape, learnt.shape)) {
      throw new DataError(
        'tensor-shape',
        `${model.name} needs ${name} with the shape ${show(value.shape)}, found ${show(learnt.shape)}. ` +
          'The tensors are those of another network.',
      );
    }
    replacements.set(value, constant(learnt));
  }
  const bound = substitute(Object.values(outputs), replacements);
  return {
    name: `${model.name}-score`,
    outputs: Object.fromEntries(Object.keys(outputs).map((name, i) => [name, bound[i]])),
    carry: {},
  };
}
