/** What the benches share: options, medians, and the committed rows with the machine that made them. */
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, type } from 'node:os';
import { createInterface } from 'node:readline';

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

/**
 * A twin under bench/pytorch in a process of its own, which answers JSON lines with the seconds that it took; undefined
 * where PyTorch is absent. `first` is a question to see whether it is there.
 */
export async function pytorch(
  script: string,
  first: object,
  blasThreads: number,
): Promise<(((question: object) => Promise<number>) & { end(): void }) | undefined> {
  const child = spawn('/usr/bin/python3', [`bench/pytorch/${script}`], {
    env: { ...process.env, OPENBLAS_NUM_THREADS: String(blasThreads) },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.on('error', () => {});
  child.stdin.on('error', () => {});
  const ask = async (question: object) => {
    child.stdin.write(`${JSON.stringify(question)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error('PyTorch is not available.');
    return (JSON.parse(value) as { seconds: number }).seconds;
  };
  try {
    await ask(first);
  } catch {
    return undefined;
  }
  return Object.assign(ask, { end: () => child.kill() });
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
