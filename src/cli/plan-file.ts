/** `plan.yaml` of a sweep: a plain value, and the line of every key, for errors about it. */
import { readFile } from 'node:fs/promises';
import { isMap, isSeq, LineCounter, type Node, visit } from 'yaml';
import { ConfigError } from '../core/errors.ts';
import { isReserved } from '../core/schema.ts';
import { requireFile } from '../data/files/read-input.ts';
import { keyOf, parsed } from './config-file.ts';

/** A plan as it stands in a file. */
export interface PlanFile {
  readonly path: string;
  readonly value: Readonly<Record<string, unknown>>;
  /** Lines by path, `grid.k` and `models.1.config.k`. */
  readonly lines: ReadonlyMap<string, number>;
}

/** Reads a plan. Throws ConfigError `plan-file`, with file and line, for what is no list of keys in YAML. */
export async function readPlanFile(path: string): Promise<PlanFile> {
  await requireFile(path);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    throw new ConfigError('plan-file', `The plan ${path} cannot be read. Check its path.`);
  }
  return parsePlan(text, path);
}

/** The same for a text; `path` is for the messages. */
export function parsePlan(text: string, path: string): PlanFile {
  const counter = new LineCounter();
  const document = parsed(text, counter);
  const lineAt = (offset: number) => counter.linePos(offset).line;
  const fail = (message: string, offset: number) =>
    new ConfigError('plan-file', `${message} (${path}:${lineAt(offset)})`);
  const [broken] = document.errors;
  if (broken) throw fail(`This is not YAML: ${broken.message.replace(/\.$/, '')}.`, broken.pos[0]);
  visit(document, {
    Alias: (_, { range }) => {
      throw fail('A plan must write out its values; aliases (*name) are not read.', range?.[0] ?? 0);
    },
    Pair: (_, pair) => {
      const { key, offset } = keyOf(pair);
      if (isReserved(key)) throw fail(`A plan has no key "${key}".`, offset);
    },
  });
  if (!isMap(document.contents)) throw fail('A plan must be a list of "key: value" lines.', 0);
  const lines = new Map<string, number>();
  const walk = (node: unknown, at: readonly string[]): void => {
    if (isMap(node))
      for (const pair of node.items) {
        const { key, offset } = keyOf(pair);
        lines.set([...at, key].join('.'), lineAt(offset));
        walk(pair.value, [...at, key]);
      }
    else if (isSeq(node))
      for (const [i, item] of node.items.entries()) {
        lines.set([...at, String(i)].join('.'), lineAt((item as Node | null)?.range?.[0] ?? 0));
        walk(item, [...at, String(i)]);
      }
  };
  walk(document.contents, []);
  return { path, value: document.toJS(), lines };
}

/** Adds file and line to an error about something that stands in the plan. */
export function locatedInPlan(error: ConfigError, { path, lines }: PlanFile): ConfigError {
  const about = error.facts?.option;
  if (!about) return error;
  for (let n = about.length; n > 0; n--) {
    const line = lines.get(about.slice(0, n).join('.'));
    if (line !== undefined) return new ConfigError(error.code, [...error.text, ` (${path}:${line})`], error.facts);
  }
  return error;
}
