/** `oddity datasets`: the data sets by name, and which of them are on this machine. */
import type { Command } from 'commander';
import { OddityError } from '../../core/errors.ts';
import type { Listener } from '../../core/events.ts';
import { dataRoot, datasets, protocols } from '../../data/index.ts';
import { act } from '../act.ts';
import { addSpeech } from '../options.ts';
import { table } from '../render.ts';
import { said } from '../words.ts';

/** A data set as it lies on this machine. */
export interface FoundDataset {
  name: string;
  title: string;
  licence: string;
  found: boolean;
  items?: number;
  classes?: readonly string[];
  shape?: readonly number[];
  /** Tasks of their own, named as `mvtec:bottle`; their images are not read for the list. */
  categories?: readonly string[];
  /** Why it cannot be used, and what to do. */
  reason?: string;
}

interface Options {
  readonly dataRoot?: string;
}

export function addDatasets(command: Command): void {
  command.option('--data-root <folder>', 'where data sets lie (default: ODDITY_DATA, else the cache of the user)');
  addSpeech(command);
  act(command, async (terminal, options: Options) => {
    const root = options.dataRoot ?? dataRoot();
    const found = await findDatasets(root, terminal.listener, terminal.signal);
    const rows = found.map((d) => [
      d.name,
      d.found
        ? d.categories
          ? `${d.categories.length} categories`
          : `${d.items} × ${d.shape?.join('×')}`
        : 'not here',
      d.classes ? `${d.classes.length}` : '–',
      d.title,
      d.licence,
    ]);
    const missing = found.filter((d) => d.reason).map((d) => `${d.name}: ${d.reason}`);
    const parts = [
      `data root: ${root}`,
      table(['data set', 'on this machine', 'classes', 'title', 'licence'], rows),
      ...missing,
      table(
        ['protocol', 'what it does'],
        protocols.map((p) => [[p.name, ...(p.aliases ?? [])].join(', '), p.description]),
      ),
    ];
    const value = {
      root,
      datasets: found,
      protocols: protocols.map(({ name, aliases = [], title, description, needs }) => ({
        name,
        aliases,
        title,
        description,
        needs,
      })),
    };
    terminal.answer(value, parts.join('\n\n'));
  });
}

/** Loads every data set that is on this machine, checksums included: a second or two in all. */
export async function findDatasets(root: string, onEvent: Listener, signal?: AbortSignal): Promise<FoundDataset[]> {
  const list: FoundDataset[] = [];
  for (const { name, title, licence, categories, load } of datasets) {
    try {
      const source = await load({ root, download: false, onEvent, signal });
      const { classes, shape } = source;
      list.push({ name, title: source.title, licence, found: true, items: source.items.length, classes, shape });
      await source.close?.();
    } catch (error) {
      if (!(error instanceof OddityError) || error.code === 'cancelled') throw error;
      // A licence is asked for once the files are found.
      if (error.code === 'licence') list.push({ name, title, licence, found: true, categories });
      else list.push({ name, title, licence, found: false, reason: said(error) });
    }
  }
  return list;
}
