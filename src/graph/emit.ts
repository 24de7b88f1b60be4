/**
 * From a program to an ONNX model: every node through one of its lowerings, equal nodes once, constants as
 * initializers, and, for training, the whole graph inside a `Loop` whose carried values are the state.
 * Written for opset 17 (ONNX 1.12), which every current runtime reads.
 */
import { InternalError } from '../core/errors.ts';
import { factors, type Shape } from '../core/shape.ts';
import { float32, int64, type Tensor } from '../core/tensor.ts';
import { inputOp } from './leaf.ts';
import type { OnnxAttribute, OnnxGraph, OnnxInitializer, OnnxModel, OnnxNode, OnnxValue } from './onnx/messages.ts';
import type { Emitter, Target } from './op.ts';
import { inputsOf, type Program } from './program.ts';
import { type Node, topological, type Value } from './value.ts';

/** The ONNX operator set that oddity writes. */
export const opset = 17;
const irVersion = 8;

export interface EmitOptions {
  /** Overrides the choice of a lowering; for benches and for devices with their own measurements. */
  lowering?: (node: Node, target: Target) => string | undefined;
}

/** Collects the nodes and initializers of one ONNX graph. */
class GraphWriter implements Emitter {
  readonly nodeList: OnnxNode[] = [];
  readonly initializers: OnnxInitializer[] = [];
  private readonly known = new Map<string, string[]>();
  private readonly constants = new Map<Tensor | string, string>();
  private count = 0;
  private used: ReadonlySet<Value> = new Set();

  constructor(
    readonly target: Target,
    private readonly prefix: string,
    /** Where a symbol can be read: input name and axis. */
    private readonly symbols: ReadonlyMap<string, { name: string; axis: number }>,
    private readonly options: EmitOptions,
  ) {}

  nodes(
    op: string,
    inputs: readonly string[],
    attributes: Record<string, OnnxAttribute> = {},
    outputs = 1,
    domain = '',
  ): string[] {
    const key = JSON.stringify([op, inputs, attributes, outputs, domain]);
    const seen = this.known.get(key);
    if (seen) return seen;
    const base = `${this.prefix}${op}_${this.count++}`;
    const names = Array.from({ length: outputs }, (_, i) => (i === 0 ? base : `${base}_${i}`));
    this.nodeList.push({ op, domain, name: base, inputs: [...inputs], outputs: names, attributes });
    this.known.set(key, names);
    return names;
  }

  node(op: string, inputs: readonly string[], attributes: Record<string, OnnxAttribute> = {}, domain = ''): string {
    return this.nodes(op, inputs, attributes, 1, domain)[0];
  }

  constant(value: Tensor): string {
    const key = value.data.length <= 64 ? `${value.dtype}[${value.shape}]${value.data.join()}` : value;
    const seen = this.constants.get(key);
    if (seen) return seen;
    const name = `${this.prefix}constant_${this.constants.size}`;
    this.initializers.push({ name, tensor: value });
    this.constants.set(key, name);
    return name;
  }

  ints(values: readonly number[]): string {
    return this.constant(int64(values));
  }

  scalar(value: number): string {
    return this.constant(float32(value));
  }

  shape(shape: Shape): string {
    if (shape.every((d) => typeof d === 'number')) return this.ints(shape as number[]);
    const parts = shape.map((d) => {
      const [k, symbol] = factors(d);
      if (!symbol) return this.ints([k]);
      const source = this.symbols.get(symbol);
      if (!source) throw new InternalError(`no input carries the size ${symbol}.`);
      const size = this.node('Gather', [this.node('Shape', [source.name]), this.ints([source.axis])], {
        axis: { i: 0 },
      });
      return k === 1 ? size : this.node('Mul', [size, this.ints([k])]);
    });
    return this.node('Concat', parts, { axis: { i: 0 } });
  }

  loop(count: number, parameters: ReadonlyMap<Value, string>, next: readonly Value[]): string[] {
    const prefix = `${this.prefix}loop_${this.count++}/`;
    const body = new GraphWriter(this.target, prefix, this.symbols, this.options);
    const state = [...parameters].slice(0, next.length);
    const names = new Map(parameters);
    state.forEach(([value], i) => {
      names.set(value, `${prefix}in${i}`);
    });
    body.emit(next, names);
    finish(body, Object.fromEntries(next.map((v, i) => [`out${i}`, v])), names, prefix);
    const goOn = body.node('Identity', [`${prefix}continue`]);
    const graph: OnnxGraph = {
      name: `${prefix}body`,
      nodes: body.nodeList,
      inputs: [
        { name: `${prefix}turn`, dtype: 'int64', shape: [] },
        { name: `${prefix}continue`, dtype: 'bool', shape: [] },
        ...state.map(([value], i) => valueInfo(`${prefix}in${i}`, value)),
      ],
      outputs: [
        { name: goOn, dtype: 'bool', shape: [] },
        ...next.map((value, i) => valueInfo(`${prefix}out${i}`, value)),
      ],
      initializers: body.initializers,
    };
    const outputs = next.map((_, i) => `${prefix}last${i}`);
    this.nodeList.push({
      op: 'Loop',
      name: `${prefix}loop`,
      inputs: [
        this.constant(int64(count)),
        this.constant({ dtype: 'bool', shape: [], data: Uint8Array.of(1) }),
        ...state.map(([, name]) => name),
      ],
      outputs,
      attributes: { body: { g: graph } },
    });
    return outputs;
  }

  isUsed(value: Value): boolean {
    return this.used.has(value);
  }

  /** Emits everything that `outputs` need; `names` maps leaf values to names that exist already. */
  emit(outputs: readonly Value[], names: Map<Value, string>): void {
    const nodes = [...topological(outputs)];
    this.used = new Set([...outputs, ...nodes.flatMap((node) => node.inputs)]);
    for (const node of nodes) {
      if (node.op === inputOp) continue;
      const known = Object.keys(node.op.lowerings);
      const chosen = this.options.lowering?.(node, this.target) ?? node.op.choose?.(node, this.target) ?? known[0];
      const lower = node.op.lowerings[chosen];
      if (!lower) throw new InternalError(`${node.op.name} has no lowering "${chosen}", only ${known.join(', ')}.`);
      const inputs = node.inputs.map((v) => names.get(v)!);
      lower(this, inputs, node).forEach((name, i) => {
        names.set(node.outputs[i], name);
      });
    }
  }

  /** Gives a value its final name; an input, an initializer or a value already named is copied. */
  rename(name: string, to: string, taken: Set<string>): void {
    const producer = this.nodeList.find((n) => n.outputs.includes(name));
    if (!producer || taken.has(name)) {
      this.nodeList.push({ op: 'Identity', inputs: [name], outputs: [to], attributes: {} });
      return;
    }
    taken.add(to);
    for (const node of this.nodeList) {
      node.inputs = node.inputs.map((n) => (n === name ? to : n));
      node.outputs = node.outputs.map((n) => (n === name ? to : n));
    }
  }
}

/** A graph output must not be a name that several outputs share, nor an input: `rename` sees to both. */
function finish(writer: GraphWriter, outputs: Record<string, Value>, names: Map<Value, string>, prefix: string): void {
  const taken = new Set<string>();
  for (const [name, value] of Object.entries(outputs)) {
    const before = names.get(value)!;
    writer.rename(before, prefix + name, taken);
    if (taken.has(prefix + name)) {
      for (const [v, n] of names) if (n === before) names.set(v, prefix + name);
    }
  }
}

const valueInfo = (name: string, value: Value, leading: readonly (number | string)[] = []): OnnxValue => ({
  name,
  dtype: value.dtype,
  shape: [...leading, ...value.shape],
});

/** Writes a program as an ONNX model; for a device by name it uses standard ONNX operators only. */
export function emitProgram(program: Program, where: string | Target, options: EmitOptions = {}): OnnxModel {
  const target = typeof where === 'string' ? { device: where, blockSize: 0 } : where;
  const outputs = Object.values(program.outputs);
  const inputs = inputsOf(outputs);
  for (const [output, name] of Object.entries(program.carry)) {
    if (!program.outputs[output] || !inputs.has(name)) {
      throw new InternalError(
        `the program ${program.name} carries ${output} to ${name}, but one of them does not exist.`,
      );
    }
  }
  const graph = program.loop
    ? loopGraph(program, inputs, target, options)
    : plainGraph(program, inputs, target, options);
  return {
    irVersion,
    opsets: [
      { domain: '', version: opset },
      ...(target.blockSize > 0 ? [{ domain: 'com.microsoft.nchwc', version: 1 }] : []),
    ],
    producer: 'oddity',
    producerVersion: '',
    graph,
    metadata: { ...program.metadata },
  };
}

function plainGraph(program: Program, inputs: Map<string, Value>, target: Target, options: EmitOptions): OnnxGraph {
  const symbols = new Map<string, { name: string; axis: number }>();
  const names = new Map<Value, string>();
  for (const [name, value] of inputs) {
    names.set(value, name);
    value.shape.forEach((d, axis) => {
      if (typeof d === 'string' && !symbols.has(d)) symbols.set(d, { name, axis });
    });
  }
  const writer = new GraphWriter(target, '', symbols, options);
  writer.emit(Object.values(program.outputs), names);
  finish(writer, program.outputs, names, '');
  return {
    name: program.name,
    nodes: writer.nodeList,
    inputs: [...inputs].map(([name, value]) => valueInfo(name, value)),
    outputs: Object.entries(program.outputs).map(([name, value]) => valueInfo(name, value)),
    initializers: writer.initializers,
  };
}

function loopGraph(program: Program, inputs: Map<string, Value>, target: Target, options: EmitOptions): OnnxGraph {
  const scanned = program.loop!.scanned.filter((name) => inputs.has(name));
  if (scanned.length === 0) throw new InternalError(`the loop of ${program.name} has no scanned input that is used.`);
  const carried = Object.entries(program.carry);
  const body = new GraphWriter(target, 'body/', new Map(), options);
  const names = new Map<Value, string>();
  for (const [name, value] of inputs) {
    if (scanned.includes(name)) names.set(value, body.node('Gather', [name, 'body/step'], { axis: { i: 0 } }));
    else names.set(value, carried.some(([, to]) => to === name) ? `body/in/${name}` : name);
  }
  body.emit(Object.values(program.outputs), names);
  finish(body, program.outputs, names, 'body/out/');
  const goOn = body.node('Identity', ['body/continue']);
  const stacked = Object.keys(program.outputs).filter((name) => !(name in program.carry));

  const loop: OnnxGraph = {
    name: `${program.name}-step`,
    nodes: body.nodeList,
    inputs: [
      { name: 'body/step', dtype: 'int64', shape: [] },
      { name: 'body/continue', dtype: 'bool', shape: [] },
      ...carried.map(([, name]) => valueInfo(`body/in/${name}`, inputs.get(name)!)),
    ],
    outputs: [
      { name: goOn, dtype: 'bool', shape: [] },
      ...[...carried.map(([output]) => output), ...stacked].map((name) =>
        valueInfo(`body/out/${name}`, program.outputs[name]),
      ),
    ],
    initializers: body.initializers,
  };
  const main = new GraphWriter(target, '', new Map(), options);
  const steps = main.node('Gather', [main.node('Shape', [scanned[0]]), main.constant(int64(0))], { axis: { i: 0 } });
  main.nodeList.push({
    op: 'Loop',
    name: 'loop',
    inputs: [
      steps,
      main.constant({ dtype: 'bool', shape: [], data: Uint8Array.of(1) }),
      ...carried.map(([, name]) => name),
    ],
    outputs: [...carried.map(([output]) => output), ...stacked],
    attributes: { body: { g: loop } },
  });
  return {
    name: program.name,
    nodes: main.nodeList,
    inputs: [...inputs].map(([name, value]) => valueInfo(name, value, scanned.includes(name) ? ['K'] : [])),
    outputs: [...carried.map(([output]) => output), ...stacked].map((name) =>
      valueInfo(name, program.outputs[name], name in program.carry ? [] : ['K']),
    ),
    initializers: main.initializers,
  };
}
