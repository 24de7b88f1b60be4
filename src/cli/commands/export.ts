/** `oddity export <run>`: the trained model as one ONNX file, checked against the run if asked. */
import type { Command } from 'commander';
import type { Device } from '../../runtime/runtime.ts';
import { act } from '../act.ts';
import { engine } from '../engine.ts';
import { addDevice, addSpeech } from '../options.ts';
import { bytes, table } from '../render.ts';

interface Options {
  readonly device?: Device | 'auto';
  readonly out?: string;
  readonly verify?: boolean;
}

export function addExport(program: Command): void {
  const command = program
    .command('export')
    .description('write a trained model as ONNX: preprocessing, map and score inside, any batch size')
    .argument('<run>', 'a run folder')
    .option('--out <path>', 'where to (default: in the run folder)')
    .option('--verify', 'score test items with the file and compare with the run');
  addDevice(command);
  addSpeech(command);
  act(command, async (terminal, options: Options, run: string) => {
    const { device, out, verify } = options;
    const { exportModel } = await engine();
    const result = await exportModel({ run, out, verify, device, onEvent: terminal.listener });
    const facts = [
      ['model', result.model],
      ['size', bytes(result.sizeBytes)],
      ['opset', String(result.opset)],
      ['inputs', namesOf(result.inputs)],
      ['outputs', namesOf(result.outputs)],
    ];
    if (result.maxDifference !== undefined) {
      facts.push([
        'verified',
        `largest difference ${result.maxDifference.toExponential(2)} over ${result.checked} items`,
      ]);
    }
    terminal.answer(result, table([], facts));
  });
}

/** Names and shapes of inputs or outputs, whichever way they are told. */
function namesOf(values: unknown): string {
  const list = Array.isArray(values) ? values : Object.entries(values as object);
  return list
    .map((v) => {
      if (typeof v === 'string') return v;
      const [name, shape] = Array.isArray(v) ? v : [v.name, v.shape];
      return Array.isArray(shape) ? `${name} [${shape.join(',')}]` : `${name} ${shape ?? ''}`.trim();
    })
    .join(', ');
}
