/** `oddity inspect <folder|csv>`: what a data set of image files holds, and what is wrong with it. */
import type { Command } from 'commander';
import { inspect } from '../../data/index.ts';
import { act } from '../act.ts';
import { addSpeech, commaList, integer } from '../options.ts';
import type { SpeechOptions } from '../terminal.ts';

interface Options extends SpeechOptions {
  readonly normal?: string[];
  readonly abnormal?: string[];
  readonly mask?: string[];
  readonly maxPixels?: number;
  readonly all?: boolean;
}

/** The exit code when there are errors. */
const FAULTS_FOUND = 7;

/** Files that are shown of a finding; `--all` and `--json` give the rest. */
const SHOWN = 5;

export function addInspect(program: Command): void {
  const command = program
    .command('inspect')
    .description(
      `check a folder or CSV file of images before training (exit code ${FAULTS_FOUND} when there are errors)`,
    )
    .argument('<path>', 'a folder of images, or a CSV file of their paths')
    .option('--normal <names>', 'folders of normal images (default: good, ok, normal, …)', commaList)
    .option('--abnormal <names>', 'folders of anomalous images (default: all others)', commaList)
    .option('--mask <names>', 'folders of masks (default: ground_truth, mask, …)', commaList)
    .option('--max-pixels <n>', 'refuse image files with more pixels (default: 100000000)', integer('--max-pixels', 1))
    .option('--all', `name every file of a finding, not ${SHOWN}`);
  addSpeech(command);
  act(command, async (terminal, options: Options, path: string) => {
    const { normal, abnormal, mask, maxPixels, all = false } = options;
    const { listener: onEvent, signal } = terminal;
    const found = await inspect({ path, normal, abnormal, mask, maxPixels, onEvent, signal });
    const { findings, errors, warnings, notes, sizes, modes } = found;
    const facts = [found.explanation, `sizes: ${briefly(sizes)}`, `modes: ${briefly(modes)}`];
    const remarks = findings.map(({ severity, check, message, advice, paths, remarks }) => {
      const shown = all ? paths : paths.slice(0, SHOWN);
      const files = shown.map((file, i) => `    ${file}${remarks ? `  (${remarks[i]})` : ''}`);
      if (shown.length < paths.length) files.push(`    and ${paths.length - shown.length} more (--all shows them)`);
      return [`${severity} ${check}: ${message} ${advice}`.trimEnd(), ...files].join('\n');
    });
    const total = `${amount(errors, 'error')}, ${amount(warnings, 'warning')}, ${amount(notes, 'note')}.`;
    terminal.answer(found, [facts.join('\n'), ...remarks, total].join('\n\n'));
    return errors > 0 ? FAULTS_FOUND : 0;
  });
}

const amount = (n: number, thing: string) => `${n} ${thing}${n === 1 ? '' : 's'}`;

/** The first six: `800x600 (120), 640x480 (3)`. */
function briefly(tally: Readonly<Record<string, number>>): string {
  const all = Object.entries(tally).map(([name, n]) => `${name} (${n})`);
  if (all.length === 0) return 'none';
  return `${all.slice(0, 6).join(', ')}${all.length > 6 ? ` and ${all.length - 6} more` : ''}`;
}
