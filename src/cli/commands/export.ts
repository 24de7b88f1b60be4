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
  readonly dataRoot?: string;
}

export function addExport(program: Command): void {
  const command = program
    .command('export')
    .description('write a trained model as ONNX: preprocessing, map and score inside, any batch size')
    .argument('<run>', 'a run folder')
    .option('--out <path>', 'a folder or a file that ends with .onnx (default: the run folder)')
    .option('--verify', 'compare the file with the plain reference on test items, on cpu and wasm')
    .option('--data-root <folder>', 'where data sets lie (default: as in training)');
  addDevice(command);
  addSpeech(command);
  act(command, async (terminal, options: Options, run: string) => {
    const { device, out, verify, dataRoot } = options;
    const { listener: onEvent, signal } = terminal;
    const { exportModel } = await engine();
    const result = await exportModel({ run, out, verify, device, dataRoot, onEvent, signal });
    const facts = [
      ['model', result.model],
      ['size', bytes(result.sizeBytes)],
      ['opset', String(result.opset)],
      ['inputs', result.inputs.join(', ')],
      ['outputs', result.outputs.join(', ')],
    ];
    if (result.maxDifference !== undefined) {
      const devices = Object.entries(result.devices ?? {}).map(([name, d]) => `${d.toExponential(1)} on ${name}`);
      facts.push([
        'verified',
        `largest difference from the reference ${result.maxDifference.toExponential(1)} over ${result.checked} items (${devices.join(', ')})`,
      ]);
    }
    terminal.answer(result, table([], facts));
  });
}
