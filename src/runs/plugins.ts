/**
 * Plugins: modules of a user that export models, metrics, kinds of items or data sets, which this process then knows by
 * name. Node only.
 */
import { register } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError } from '../core/errors.ts';
import { requireFile } from '../data/files/read-input.ts';
import { type Dataset, registerDataset } from '../data/index.ts';
import { type AnyKind, registerKind } from '../kinds/index.ts';
import { type Metric, registerMetric } from '../metrics/index.ts';
import { type AnyModel, registerModel } from '../models/index.ts';

/** What a plugin brought, by name. */
export interface LoadedPlugin {
  readonly path: string;
  readonly models: readonly string[];
  readonly metrics: readonly string[];
  readonly kinds: readonly string[];
  readonly datasets: readonly string[];
}

type Part = Exclude<keyof LoadedPlugin, 'path'>;

let isHooked = false;

/**
 * Loads a module by its path and makes known what it exports: values of `defineModel`, `defineMetric` and `defineKind`, and
 * data sets, each alone or in a list. Its imports of `oddity` and `zod` are those of this package, wherever it lies.
 * @throws ConfigError `plugin-load` for a module that does not load, `plugin-empty` for one that exports none of these,
 * `repeated-name` for a name that is taken; DataError `not-a-file`.
 */
export async function loadPlugin(path: string): Promise<LoadedPlugin> {
  await requireFile(path);
  if (!isHooked) register(new URL('./plugin-hooks.js', import.meta.url));
  isHooked = true;
  const url = pathToFileURL(resolve(path));
  let exported: Record<string, unknown>;
  try {
    exported = await import(url.href);
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    throw new ConfigError(
      'plugin-load',
      `The plugin ${path} must be a JavaScript module that can be loaded: ${reason}`,
    );
  }
  const found: Record<Part, string[]> = { models: [], metrics: [], kinds: [], datasets: [] };
  for (const value of new Set(Object.values(exported).flat())) {
    const part = partOf(value);
    if (!part) continue;
    add[part](value as never);
    found[part].push((value as { name: string }).name);
  }
  if (Object.values(found).every((names) => names.length === 0)) {
    const names = Object.keys(exported);
    throw new ConfigError(
      'plugin-empty',
      `The plugin ${path} must export a model, a metric, a kind or a data set, but exports ` +
        `${names.length > 0 ? `none of them (${names.join(', ')})` : 'nothing'}. Export what defineModel returned, for example.`,
    );
  }
  return { path, ...found };
}

const add: { readonly [P in Part]: (value: never) => void } = {
  models: (value: AnyModel) => registerModel(value),
  metrics: (value: Metric) => registerMetric(value),
  kinds: (value: AnyKind) => registerKind(value),
  datasets: (value: Dataset) => registerDataset(value),
};

/** What an exported value is, by the fields that only such values have. */
function partOf(value: unknown): Part | undefined {
  if (typeof value !== 'object' || value === null || !('name' in value)) return undefined;
  if ('learns' in value && 'score' in value) return 'models';
  if ('level' in value && 'compute' in value) return 'metrics';
  if ('axes' in value && 'mapShape' in value) return 'kinds';
  return 'load' in value && typeof value.load === 'function' ? 'datasets' : undefined;
}
