/** What the benches share: options, medians, and the committed rows with the machine that made them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, type } from 'node:os';

/** The value of `--name` (the empty string for a bare flag), or undefined. */
export function option(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  if (at < 0) return undefined;
  const next = process.argv[at + 1];
  return next === undefined || next.startsWith('--') ? '' : next;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The machine in words: processor, cores, Node. */
export function machine(): string {
  return `${cpus()[0].model.trim()}, ${cpus().length} cores, ${type()}, Node ${process.versions.node}`;
}

/** Writes rows to bench/results/<name>.csv with machine and command, when `--save` is given. */
export async function saveRows(name: string, rows: readonly Record<string, unknown>[]): Promise<void> {
  if (option('save') === undefined || rows.length === 0) return;
  const quote = (v: unknown) => {
    const text = String(v ?? '');
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const command = `npm run bench -- ${name}`;
  const columns = [...new Set(rows.flatMap((r) => Object.keys(r))), 'machine', 'command'];
  const lines = rows.map((r) => columns.map((c) => quote({ ...r, machine: machine(), command }[c])).join(','));
  await mkdir('bench/results', { recursive: true });
  await writeFile(`bench/results/${name}.csv`, `${[columns.join(','), ...lines].join('\n')}\n`);
}
