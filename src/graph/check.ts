/** The spec of a legal graph, run in tests and with `--debug`: it returns what is wrong, in sentences. */
import { sameShape, show } from '../core/shape.ts';
import { operators } from './op.ts';
import { inputsOf, type Program } from './program.ts';
import { describe, topological } from './value.ts';

/** Everything that is illegal about a program; empty when all is well. */
export function check(program: Program): string[] {
  const faults: string[] = [];
  const values = Object.values(program.outputs);
  const nodes = topological(values);
  for (const node of nodes) {
    if (operators().get(node.op.name) !== node.op) faults.push(`${node.op.name} is not a registered operator.`);
    if (node.outputs.length === 0) faults.push(`${node.op.name} has no outputs.`);
    try {
      node.op.shape(node.inputs, node.attributes).forEach((type, i) => {
        const value = node.outputs[i];
        if (!sameShape(type.shape, value.shape) || type.dtype !== value.dtype) {
          faults.push(`${describe(value)} should be ${type.dtype}${show(type.shape)}.`);
        }
      });
    } catch (error) {
      faults.push(`${node.op.name}: ${(error as Error).message}`);
    }
    for (const value of node.outputs) {
      if (value.shape.some((d) => typeof d === 'number' && (!Number.isInteger(d) || d < 0)))
        faults.push(`${describe(value)} has an impossible size.`);
      if (value.node !== node) faults.push(`${describe(value)} names another node as its producer.`);
    }
  }
  let inputs: ReturnType<typeof inputsOf>;
  try {
    inputs = inputsOf(values);
  } catch (error) {
    return [...faults, (error as Error).message];
  }
  for (const [output, name] of Object.entries(program.carry)) {
    const [from, to] = [program.outputs[output], inputs.get(name)];
    if (!from || !to) faults.push(`${output} is carried to ${name}, but ${from ? name : output} does not exist.`);
    else if (!sameShape(from.shape, to.shape) || from.dtype !== to.dtype) {
      faults.push(`${output} (${describe(from)}) is carried to ${name} (${describe(to)}), which has another type.`);
    }
  }
  for (const name of program.loop?.scanned ?? [])
    if (!inputs.has(name)) faults.push(`the loop scans ${name}, which is no input.`);
  return faults;
}
