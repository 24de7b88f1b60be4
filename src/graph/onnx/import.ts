/**
 * Somebody else's network as our own differentiable values: the part of an ONNX graph that chosen node outputs – taps –
 * need, with every layer written out, so that it becomes part of an exported detector. What the operators mean is in
 * `import-ops.ts`; control flow, quantised networks and training graphs are not read.
 */
import { ConfigError, DataError, nearestName, ShapeError, unknownName } from '../../core/errors.ts';
import { show } from '../../core/shape.ts';
import type { Tensor, Tensors } from '../../core/tensor.ts';
import type { Value } from '../value.ts';
import type { ImportContext, ImportedOp } from './import-node.ts';
import { constantTensor, floatTensor, importedOps } from './import-ops.ts';
import type { OnnxModel, OnnxNode, OnnxValue } from './messages.ts';

/** The part of a graph that the taps need. */
interface Part {
  /** Producers before users. */
  readonly nodes: readonly { node: OnnxNode; op: ImportedOp }[];
  /** Initializers that are values, float32, in order of first use. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** The graph's input, where the taps depend on it. */
  readonly input?: OnnxValue;
  /** How many nodes and taps read a name. */
  readonly uses: ReadonlyMap<string, number>;
  /** The constant behind a name, through Constant and Identity nodes. */
  constantOf(name: string): Tensor | undefined;
  /** The error for a node that cannot be read. */
  unsupported(node: OnnxNode, why: string): DataError;
}

/**
 * The initializers that the taps need, by name, as float32; numbers below 1e-30 in size are 0 (see `import-ops.ts`).
 * Throws as `importOnnx` does.
 */
export function tensorsNeeded(model: OnnxModel, taps: readonly string[]): Tensors {
  return Object.fromEntries(partOf(model, taps).weights);
}

/**
 * The taps (names of node outputs) as values of our own operators, from `input` `[N,C,...]` float32. `tensor` gives each
 * initializer of `tensorsNeeded` as a value: a constant, or an input that can be trained. A batch that the file fixes is
 * free again. It takes the model, not the graph alone, because Softmax means another thing since operator set 13.
 * @throws ConfigError `unknown-tap`; DataError `onnx-unsupported` for what has no counterpart here, naming the node,
 * `onnx-input` when `input` does not fit, `onnx-corrupt`; ShapeError where an image is too small, say.
 */
export function importOnnx(
  model: OnnxModel,
  input: Value,
  taps: readonly string[],
  tensor: (name: string, shape: readonly number[]) => Value,
): Value[] {
  const part = partOf(model, taps);
  const opset = opsetOf(model);
  const values = new Map<string, Value>();
  for (const [name, { shape }] of part.weights) values.set(name, tensor(name, shape));
  /** Names that depend on the input. */
  const fed = new Set<string>();
  const declared = part.input?.shape?.[0];
  if (part.input) {
    checkInput(part.input, input);
    values.set(part.input.name, input);
    fed.add(part.input.name);
  }
  for (const { node, op } of part.nodes) {
    const names = operandsOf(node, op);
    const isFed = names.some((name) => fed.has(name));
    const context: ImportContext = {
      ...{ node, opset, isOnlyUse: part.uses.get(names[0]) === 1 },
      batch: typeof declared === 'number' && fed.has(names[0]) ? { declared, fed: input.shape[0] } : undefined,
      setting: (index) => {
        const name = node.inputs[index];
        if (!name) return undefined;
        const found = part.constantOf(name);
        if (!found) throw part.unsupported(node, `its setting "${name}" is computed by the graph`);
        return found;
      },
      unsupported: (why) => part.unsupported(node, why),
    };
    for (const [i, value] of build(op, names, values, context).entries()) {
      values.set(node.outputs[i], value);
      if (isFed) fed.add(node.outputs[i]);
    }
  }
  return taps.map((tap) => values.get(tap)!);
}

function build(op: ImportedOp, names: string[], values: ReadonlyMap<string, Value>, context: ImportContext): Value[] {
  try {
    // Inputs that are left out have no name, hence no value.
    const inputs = names.map((name) => values.get(name)!);
    return op.parts ? op.parts(inputs, context) : [op.build(inputs, context)];
  } catch (error) {
    if (error instanceof ShapeError) throw new ShapeError(`${called(context.node)}: ${error.message}`);
    if (error instanceof RangeError) {
      throw new DataError(
        'onnx-corrupt',
        `${called(context.node)} needs more memory than there is. Fetch the file again.`,
      );
    }
    throw error;
  }
}

const opsetOf = ({ opsets }: OnnxModel): number => opsets.find((o) => isStandard(o.domain))?.version ?? 1;
const isStandard = (domain: string | undefined) => !domain || domain === 'ai.onnx';

/** `The node "conv1" (Conv)`, for messages. */
const called = ({ name, op, outputs }: OnnxNode): string =>
  name ? `The node "${name}" (${op})` : `The node of "${outputs[0]}" (${op})`;

const operandsOf = (node: OnnxNode, op: ImportedOp): string[] => node.inputs.slice(0, op.operands[1]);

const corrupt = (what: string) =>
  new DataError('onnx-corrupt', `This ONNX graph is damaged: ${what}. Fetch or export it again.`);

/** Finds what the taps need. Iterative: graphs may be deep. */
function partOf({ graph }: OnnxModel, taps: readonly string[]): Part {
  const producers = new Map<string, OnnxNode>();
  for (const node of graph.nodes) {
    for (const name of node.outputs) {
      if (name && producers.has(name)) throw corrupt(`two nodes make "${name}"`);
      if (name) producers.set(name, node);
    }
  }
  const initializers = new Map(graph.initializers.map(({ name, tensor }) => [name, tensor]));
  const inputs = new Map(graph.inputs.map((value) => [value.name, value]));

  const unsupported = (node: OnnxNode, why: string): DataError => {
    const before = node.inputs.find((name) => producers.has(name) && producers.get(name)?.op !== 'Constant');
    const remedy = before
      ? `Choose a tap before it, such as "${before}".`
      : 'No tap lies before it: export the network without it.';
    return new DataError('onnx-unsupported', `${called(node)} cannot become part of a detector: ${why}. ${remedy}`);
  };

  const floats = new Map<string, Tensor>();
  const uses = new Map<string, number>();
  const found: Part['nodes'][number][] = [];
  const state = new Map<OnnxNode, 'open' | 'done'>();
  let input: OnnxValue | undefined;

  /** Notes one use of a name; the node that makes it, if there is one. */
  const use = (name: string, reader: string): OnnxNode | undefined => {
    uses.set(name, (uses.get(name) ?? 0) + 1);
    const producer = producers.get(name);
    if (producer) {
      if (producer.outputs[0] !== name && !importedOps.get(producer.op)?.parts)
        throw unsupported(producer, `its output "${name}" is not computed here`);
      return producer;
    }
    const initializer = initializers.get(name);
    if (initializer) {
      const weight = floats.get(name) ?? floatTensor(initializer);
      if (!weight) {
        throw new DataError(
          'onnx-unsupported',
          `${reader} computes with "${name}" of type ${initializer.dtype}; only floats are supported. Choose a tap before it.`,
        );
      }
      floats.set(name, weight);
      return undefined;
    }
    const declared = inputs.get(name);
    if (!declared) throw corrupt(`${reader} reads "${name}", which nothing makes`);
    if (input && input !== declared) {
      throw new DataError(
        'onnx-input',
        `The network must have one input, but these taps need "${input.name}" and "${name}". Choose others.`,
      );
    }
    input = declared;
    return undefined;
  };

  for (const tap of taps) {
    if (!producers.has(tap)) throw unknownTap(tap, [...producers.keys()]);
    const stack: OnnxNode[] = [use(tap, `the tap "${tap}"`)!];
    while (stack.length > 0) {
      const node = stack[stack.length - 1];
      if (state.has(node)) {
        stack.pop();
        if (state.get(node) === 'open') found.push({ node, op: opOf(node, unsupported) });
        state.set(node, 'done');
        continue;
      }
      state.set(node, 'open');
      // What is unknown is a leaf until its turn comes, so that the first one of the graph is named.
      const op = importedOps.get(node.op);
      for (const name of op ? operandsOf(node, op) : node.inputs.filter((n) => producers.has(n))) {
        const producer = name ? use(name, called(node)) : undefined;
        if (producer && state.get(producer) === 'open') throw corrupt(`${called(node)} depends on itself`);
        if (producer && !state.has(producer)) stack.push(producer);
      }
    }
  }

  const constantOf = (name: string): Tensor | undefined => {
    let at = name;
    for (let steps = 0; steps <= graph.nodes.length; steps++) {
      const producer = producers.get(at);
      if (!producer) return initializers.get(at);
      if (producer.op === 'Constant') return constantTensor(producer);
      if (producer.op !== 'Identity') return undefined;
      at = producer.inputs[0];
    }
    return undefined;
  };
  const weights = new Map<string, Tensor>();
  for (const { node, op } of found) {
    for (const name of operandsOf(node, op)) if (floats.has(name)) weights.set(name, floats.get(name)!);
  }
  return { nodes: found, weights, input, uses, constantOf, unsupported };
}

/** The record of a node's operator; throws for one that is unknown, of another domain, or lacks inputs. */
function opOf(node: OnnxNode, unsupported: Part['unsupported']): ImportedOp {
  const op = isStandard(node.domain) ? importedOps.get(node.op) : undefined;
  if (!op) {
    const name = isStandard(node.domain) ? node.op : `${node.domain}.${node.op}`;
    throw unsupported(node, `the operator ${name} is not supported`);
  }
  const [few, most] = op.operands;
  // Of an operator with any number of inputs, none may be left out.
  const least = Number.isFinite(most) ? few : Math.max(few, node.inputs.length);
  for (let i = 0; i < least; i++) {
    if (!node.inputs[i]) throw corrupt(`${called(node)} must have ${least} inputs and lacks number ${i + 1}`);
  }
  return op;
}

function unknownTap(tap: string, names: readonly string[]): ConfigError {
  // A long network has hundreds of names; they help nobody unless one is near.
  if (names.length <= 20 || nearestName(tap, names)) return unknownName('tap', tap, names);
  return new ConfigError(
    'unknown-tap',
    `There is no tap named "${tap}". The graph has ${names.length} node outputs, from "${names[0]}" to "${names.at(-1)}".`,
  );
}

/** The declared input against what we feed: rank and channels; batch and pixels are free. */
function checkInput({ name, shape }: OnnxValue, input: Value): void {
  if (input.dtype !== 'float32' || input.shape.length < 2) {
    throw new DataError('onnx-input', `A network is fed float32 [N,C,...], got ${input.dtype}${show(input.shape)}.`);
  }
  if (!shape) return;
  const [wanted, given] = [shape[1], input.shape[1]];
  if (shape.length === input.shape.length && (typeof wanted !== 'number' || wanted === given)) return;
  const isChannelsLast = shape.length === input.shape.length && shape.at(-1) === given;
  throw new DataError(
    'onnx-input',
    `The network's input "${name}" must be ${show(shape)}, but it would get ${show(input.shape)}: the channels differ. ` +
      (isChannelsLast
        ? 'It seems to have the channels last: export it with the channels first ([N,C,H,W]).'
        : 'Choose images with as many channels, or another network.'),
  );
}
