/** `oddity export <run>`: the trained model as one ONNX file, checked against the run if asked. */
import type { Command } from 'commander';
import { ConfigError } from '../../core/errors.ts';
import type { PrecisionReport } from '../../engine/scoring/artifact.ts';
import type { Precision } from '../../graph/onnx/store-weights.ts';
import { headlineMetrics } from '../../metrics/index.ts';
import type { Device } from '../../runtime/runtime.ts';
import { act } from '../act.ts';
import { engine } from '../engine.ts';
import { NOT_VERIFIED } from '../exit-codes.ts';
import { addDevice, addSpeech, integer } from '../options.ts';
import { bytes, fixed, table } from '../render.ts';

interface Options {
  readonly device?: Device | 'auto';
  readonly out?: string;
  readonly precision?: string;
  readonly acceptLoss?: boolean;
  readonly verify?: boolean;
  readonly items?: number;
  readonly dataRoot?: string;
}

export function addExport(command: Command): void {
  command
    .argument('<run>', 'a run folder')
    .option('--out <path>', 'a folder or a file that ends with .onnx (default: the run folder)')
    .option(
      '--precision <name>',
      'store weights as fp16 (half the bytes) or int8 (a quarter); the loss is measured on the data of the run, and kept in model.json',
    )
    .option('--accept-loss', 'with --precision: write it whatever it costs')
    .option(
      '--verify',
      `compare the file with the plain reference on test items, on cpu and wasm (exit code ${NOT_VERIFIED} when they differ)`,
    )
    .option('--items <n>', 'with --verify: compare so many test items (default: 8)', integer('--items', 1))
    .option('--data-root <folder>', 'where data sets lie (default: as in training)');
  addDevice(command);
  addSpeech(command);
  act(command, async (terminal, options: Options, run: string) => {
    const { device, out, verify, items, dataRoot, acceptLoss } = options;
    const precision = options.precision as Precision | undefined; // checked where it is used
    if (items !== undefined && !verify) throw new ConfigError('items', '--items needs --verify.');
    const { listener: onEvent, signal } = terminal;
    const { exportModel } = await engine();
    const result = await exportModel({
      ...{ run, out, precision, acceptLoss, verify, items, device, dataRoot, onEvent, signal },
    });
    const facts = [
      ['model', result.model],
      ['size', bytes(result.sizeBytes)],
      ['opset', String(result.opset)],
      ['inputs', result.inputs.join(', ')],
      ['outputs', result.outputs.join(', ')],
    ];
    if (result.precision) facts.push(...precisionFacts(result.precision));
    const { passed, checked = 0, devices = {}, differences = {}, failures = [] } = result;
    if (passed !== undefined) {
      const on = Object.keys(devices).join(' and ');
      facts.push([
        'verified',
        passed ? `yes, on ${checked} items, ${on}` : 'no: the file does not do what the model does',
      ]);
      for (const [output, { largest, tolerance }] of Object.entries(differences)) {
        facts.push([
          `  ${output}`,
          `largest difference ${largest.toExponential(1)}, allowed ${tolerance.toExponential(1)}`,
        ]);
      }
    }
    terminal.answer(result, [table([], facts), ...failures].join('\n'));
    return passed === false ? NOT_VERIFIED : 0;
  });
}

function precisionFacts({ sizeBefore, sizeBytes, before, after, judged, ...found }: PrecisionReport): string[][] {
  const { normals, scoreDifference, scoreDeviation, decisionsChanged } = found;
  const share =
    scoreDeviation > 0 ? ` (${((100 * scoreDifference) / scoreDeviation).toPrecision(2)} % of their deviation)` : '';
  const on = `on ${judged.items} ${judged.on === 'planted' ? 'items, half of them planted' : 'test items'}`;
  return [
    ['weights', `${found.weights}, ${((100 * sizeBytes) / sizeBefore).toFixed(0)} % of ${bytes(sizeBefore)}`],
    [
      'scores',
      `differ by ${scoreDifference.toExponential(1)} at most on ${normals} normals${share}; ${decisionsChanged} decisions change`,
    ],
    ...headlineMetrics.map(({ name, title }) => [
      title,
      `${fixed(before[name])} before, ${fixed(after[name])} after, ${on}`,
    ]),
  ];
}
