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
    terminal.answer(answer(merged), text(merged));
    return merged.of === 'sweep' && merged.trials.some(({ state }) => state === 'failed') ? SOME_FAILED : 0;
  });
}

/** What was merged as JSON, as the command gives it that does all in one process. */
function answer(merged: Merged): object {
  if (merged.of === 'sweep') return merged;
  const { of, name, quick } = merged;
  return { of, name, quick, ...answerOf(merged) };
}

function text(merged: Merged): string {
  return merged.of === 'sweep' ? sweepText({ ...merged, kept: 0 }) : benchText(merged, merged.quick);
}
