/** `oddity merge <folders...>`: shards into one result, the same as that of one process. */
import type { Command } from 'commander';
import { type Merged, mergeShards } from '../../sweeps/mergers.ts';
import { act } from '../act.ts';
import { SOME_FAILED } from '../exit-codes.ts';
import { addSpeech } from '../options.ts';
import { answerOf, benchText } from './bench.ts';
import { sweepText } from './sweep.ts';

interface Options {
  readonly out: string;
}

export function addMerge(command: Command): void {
  command
    .argument('<folders...>', 'the folders of all shards')
    .requiredOption('--out <folder>', 'where the whole goes');
  addSpeech(command);
  act(command, async (terminal, { out }: Options, folders: string[]) => {
    const merged = await mergeShards(folders, out);
    terminal.answer(answer(merged), text(merged, out));
    return someFailed(merged) ? SOME_FAILED : 0;
  });
}

function someFailed(merged: Merged): boolean {
  if (merged.of === 'sweep') return merged.trials.some(({ state }) => state === 'failed');
  return merged.of === 'predict' && merged.failed > 0;
}

/** What was merged as JSON, as the command gives it that does all in one process. */
function answer(merged: Merged): object {
  if (merged.of !== 'bench') return merged;
  const { of, name, quick } = merged;
  return { of, name, quick, ...answerOf(merged) };
}

function text(merged: Merged, out: string): string {
  if (merged.of === 'sweep') return sweepText({ ...merged, kept: 0 });
  if (merged.of === 'bench') return benchText(merged, merged.quick);
  const { scored, anomalous, failed } = merged;
  const lost = failed > 0 ? `; ${failed} could not be scored` : '';
  return `${scored} scored, ${anomalous} of them anomalous${lost}\n\nwritten to ${out}`;
}
