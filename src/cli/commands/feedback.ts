/** `oddity feedback <run> <items...> normal|anomalous`: what a person says of items; without items, the list of what was said. */
import type { Command } from 'commander';
import { ConfigError } from '../../core/errors.ts';
import { visible } from '../../core/visible.ts';
import { findImages } from '../../data/index.ts';
import type { FeedbackResult } from '../../runs/feedback.ts';
import { type FeedbackLabel, feedbackLabels, placeOf } from '../../runs/feedback-file.ts';
import { act } from '../act.ts';
import { engine } from '../engine.ts';
import { addSpeech } from '../options.ts';
import { table } from '../render.ts';
import { quoted } from '../words.ts';

interface Options {
  readonly takeBack?: boolean;
}

export function addFeedback(command: Command): void {
  command
    .argument('<run>', 'a run folder or an exported model')
    .argument(
      '[items...]',
      'images (files, folders, patterns in quotes); rows: data.csv:17, data.csv:17-24, data.csv:id=4711 or data.csv; ' +
        'steps of a series: log.csv:17-24. The last word says what they are: normal or anomalous',
    )
    .option('--take-back', 'forget what was said of these items');
  addSpeech(command);
  act(command, async (terminal, { takeBack = false }: Options, run: string, words: string[]) => {
    const { items, label } = partedWords(words, takeBack);
    const { feedback, kindOfArtifact } = await engine();
    // What is taken back may be gone from its place.
    const isImages = label !== null && items.length > 0 && (await kindOfArtifact(run)) === 'image';
    const found = isImages ? await findImages(items, terminal.listener) : items;
    const result = await feedback({ run, items: found, label });
    terminal.answer(result, items.length === 0 ? listText(result) : saidText(result, label));
  });
}

/** The items, and what is said of them: the last word. */
function partedWords(words: readonly string[], takeBack: boolean): { items: string[]; label?: FeedbackLabel | null } {
  if (words.length === 0) {
    if (takeBack)
      throw new ConfigError('feedback-label', '--take-back needs the items of which nothing shall be said.');
    return { items: [] };
  }
  const last = feedbackLabels.find((label) => label === words.at(-1));
  if (takeBack) {
    if (last === undefined) return { items: [...words], label: null };
    throw new ConfigError('feedback-label', `--take-back takes items only. Leave the word "${last}" out.`);
  }
  if (last === undefined) {
    throw new ConfigError(
      'feedback-label',
      `The last word must be normal or anomalous, found "${words.at(-1)}". For example: oddity feedback runs/first part.png normal`,
    );
  }
  const items = words.slice(0, -1);
  if (items.length > 0) return { items, label: last };
  throw new ConfigError('feedback-label', `No items stand before "${last}". Name what is ${last}.`);
}

const counted = ({ normal, anomalous }: FeedbackResult) => `${normal} normal and ${anomalous} anomalous items`;

function saidText(result: FeedbackResult, label: FeedbackLabel | null | undefined): string {
  const { run, changed, overruled } = result;
  const items = `${changed} item${changed === 1 ? '' : 's'}`;
  const what = label === null ? `Nothing is said any more of ${items}` : `${items} noted as ${label}`;
  const other = overruled > 0 ? `, ${overruled} of which were called otherwise before` : '';
  const use = `oddity threshold ${quoted(run)} --feedback --fpr 0.01`;
  return `${what}${other}. The feedback on ${visible(run)} has ${counted(result)}.\nIt counts where it is asked for: ${use}`;
}

function listText(result: FeedbackResult): string {
  const { run, entries } = result;
  if (entries.length === 0) return `There is no feedback on ${visible(run)}.`;
  const rows = entries.map(({ label, time, item }) => [placeOf(item), label, time]);
  return `${table(['item', 'is', 'said at'], rows)}\n\n${counted(result)}`;
}
