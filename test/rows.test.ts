/**
 * Figures have rows: what a document says of a detector's accuracy stands, to its last digit, in a file of bench/results that the
 * same paragraph names, and each model of each benchmark has rows there, with the command that made them.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { benches } from '../src/bench/benches.ts';
import { propertiesOf } from '../src/core/schema.ts';
import { findModel } from '../src/models/index.ts';

const root = join(import.meta.dirname, '..');
const results = join(root, 'bench', 'results');

type Row = Readonly<Record<string, string>>;
const known = new Map<string, readonly Row[]>();

/** The rows of a file of bench/results. */
function rowsOf(file: string): readonly Row[] {
  const rows = known.get(file) ?? (parse(readFileSync(join(results, file), 'utf8'), { columns: true }) as Row[]);
  known.set(file, rows);
  return rows;
}

/** Different texts of a column that tells rows apart, at most. */
const MOST_KINDS = 60;
const isNumber = (text: string) => text !== '' && Number.isFinite(Number(text));

/** Numbers of a file: cells, and their means over rows that have one or two columns in common. */
function figuresOf(file: string): Float64Array {
  const rows = rowsOf(file);
  const columns = Object.keys(rows[0]);
  const kinds = columns.filter((c) => {
    const values = new Set(rows.map((row) => row[c]));
    return values.size <= MOST_KINDS && !(values.size === 1 && values.has(''));
  });
  const pairs = kinds.flatMap((a, i) => kinds.slice(i).map((b) => [a, b] as const));
  const numeric = columns.filter((c) => rows.some((row) => isNumber(row[c]) && !Number.isInteger(Number(row[c]))));
  const found = rows.flatMap((row) => numeric.flatMap((c) => (isNumber(row[c]) ? [Number(row[c])] : [])));
  for (const [a, b] of pairs) {
    const groups = new Map<string, Row[]>();
    for (const row of rows) {
      const key = `${row[a]}\n${row[b]}`;
      groups.set(key, [...(groups.get(key) ?? []), row]);
    }
    for (const own of groups.values()) {
      for (const c of numeric) {
        const values = own.flatMap((row) => (isNumber(row[c]) ? [Number(row[c])] : []));
        if (values.length > 1) found.push(values.reduce((x, y) => x + y, 0) / values.length);
      }
    }
  }
  return Float64Array.from(found);
}

/** Paragraphs of a document outside of its code, that speak of accuracy in figures. */
function claimsOf(document: string) {
  const text = readFileSync(join(root, document), 'utf8').replace(/^```[\s\S]*?^```$|`--[^`]*`/gm, '');
  return text.split(/\n\s*\n|\n(?=- |\d+\. )/).flatMap((paragraph) => {
    if (!/\b(AUROC|AUPRO|AP|F1|VUS(-PR)?)\b/.test(paragraph)) return [];
    const figures = [...paragraph.matchAll(/(?<![\d.a-z])0?\.\d{2,3}(?![\d%]| %)/g)].map(([figure]) => figure);
    return figures.length > 0 ? [{ document, paragraph, figures }] : [];
  });
}

const documents = [
  'README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
];
const claims = documents.flatMap(claimsOf);

describe('figures in documents', () => {
  it('are found', () => {
    expect(claims.length).toBeGreaterThan(2);
  });

  it.each(claims)('$document: $figures have rows', ({ paragraph, figures }) => {
    const files = [...new Set([...paragraph.matchAll(/bench\/results\/([\w-]+\.csv)/g)].map(([, file]) => file))];
    expect(files, `${paragraph}\nnames no file of bench/results`).not.toEqual([]);
    const numbers = files.map(figuresOf);
    const missing = figures.filter((figure) => {
      const half = 0.5 / 10 ** figure.split('.')[1].length + 1e-9;
      return !numbers.some((list) => list.some((number) => Math.abs(number - Number(figure)) <= half));
    });
    expect(missing, `${paragraph}\nhas figures without a row in ${files.join(', ')}`).toEqual([]);
  });
});

/**
 * Benchmarks, or models in them, whose rows are due: they take hours on two cores, or were made before the model had all its options. A model
 * comes off the list with its rows.
 */
const due: Readonly<Record<string, 'all' | readonly string[]>> = {
  backbones: ['patchcore', 'padim'],
  contamination: 'all',
  'fashion-one-class': ['autoencoder'],
  frames: ['frame-autoencoder', 'padim', 'random'],
  'gan-one-class': ['anogan'],
  'gan-three-digits': ['skip-ganomaly', 'simultaneous-encoder'],
  industrial: ['vgg19-autoencoder'],
  'industrial-scratch': ['denoising-autoencoder', 'diffusion-ad', 'anoddpm', 'vae', 'deep-svdd', 'autoencoder'],
  'mnist-one-class': ['autoencoder'],
  'oneclass-cifar10': 'all',
  survey: ['egbad', 'anogan'],
};

describe('benchmarks have rows', () => {
  const files = readdirSync(results).filter((file) => file.endsWith('.csv'));

  it.each(files)('%s: every row says how it was made', (file) => {
    const rows = rowsOf(file);
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(row.command, JSON.stringify(row).slice(0, 300)).toMatch(/^(npm run bench|oddity) /);
  });

  it.each(benches)('$name', ({ name, tables }) => {
    if (due[name] === 'all') {
      expect(existsSync(join(results, `${name}.csv`)), 'rows are there: take the benchmark off the list').toBe(false);
      return;
    }
    const rows = rowsOf(`${name}.csv`);
    const without = tables.flatMap(({ cases, entries, preset: common }) =>
      entries.flatMap(({ model, label, preset = common, config }) => {
        const wanted = { ...(preset && findModel(model).presets[preset]), ...config };
        const has = ({ data, class: kind }: { data: string; class?: string }) =>
          rows.some(
            (row) =>
              row.model === model &&
              row.data === basename(data) &&
              // Rows from before the model had all its options are not its rows.
              Object.keys(propertiesOf(findModel(model).config)).every((key) => key in JSON.parse(row.config)) &&
              (kind === undefined || row.class.startsWith(kind) || !/^\d+$/.test(row.class)) &&
              Object.entries(wanted).every(([key, value]) => JSON.parse(row.config)[key] === value),
          );
        return cases.filter((one) => !has(one)).map(({ data, class: kind }) => [label ?? model, data, kind].join(' '));
      }),
    );
    const allowed = due[name] ?? [];
    expect(without.filter((row) => !allowed.some((model) => row.startsWith(model)))).toEqual([]);
    // A model whose rows are there comes off the list.
    expect(allowed.filter((model) => !without.some((row) => row.startsWith(model)))).toEqual([]);
  });
});
