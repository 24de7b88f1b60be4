/** Inspection of files: reads a layout, decodes every file once and says what is wrong with them. Node only. */
import type { LayoutOptions } from '../../layout-words.ts';
import { readLayout } from '../layout.ts';
import { type Diagnosis, diagnose } from './diagnose.ts';
import { type ExamineOptions, examine } from './examine.ts';

export interface InspectOptions extends LayoutOptions, ExamineOptions {
  /** A folder of images or a CSV file. */
  readonly path: string;
}

/** What a data set holds and what is wrong with it. */
export interface Inspection {
  readonly root: string;
  readonly kind: string;
  /** One sentence: what was understood. */
  readonly explanation: string;
  /** Images by part (`none` where the layout gives none) and type. */
  readonly counts: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly masks: number;
  /** Images by width and height, and by mode; without those that cannot be decoded. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly modes: Readonly<Record<string, number>>;
  /** The gravest first. */
  readonly findings: readonly Diagnosis[];
  readonly errors: number;
  readonly warnings: number;
  readonly notes: number;
}

/**
 * Inspects a data set; changes nothing. Throws what `readLayout` throws, RuntimeUnavailable without the decoder, and
 * Cancelled once `signal` aborts. Broken files are findings.
 */
export async function inspect(options: InspectOptions): Promise<Inspection> {
  const layout = await readLayout(options.path, options);
  const set = await examine(layout, options);
  const findings = diagnose(set);
  const images = set.images.flatMap(({ file }) => file.image ?? []);
  const counts: Record<string, Record<string, number>> = {};
  for (const { part = 'none', type } of layout.items) {
    counts[part] ??= {};
    counts[part][type] = (counts[part][type] ?? 0) + 1;
  }
  const grave = (severity: string) => findings.filter((finding) => finding.severity === severity).length;
  return {
    root: layout.root,
    kind: layout.kind,
    explanation: layout.explanation,
    counts,
    masks: set.masks.length,
    sizes: tally(images.map(({ width, height }) => `${width}x${height}`)),
    modes: tally(images.map(({ mode }) => mode)),
    findings,
    errors: grave('error'),
    warnings: grave('warning'),
    notes: grave('note'),
  };
}

/** How often each text is there, the most frequent first. */
function tally(texts: readonly string[]): Record<string, number> {
  const found = new Map<string, number>();
  for (const text of texts) found.set(text, (found.get(text) ?? 0) + 1);
  return Object.fromEntries([...found].sort((a, b) => b[1] - a[1]));
}
