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

/** What a process answers. */
export interface Answer {
  readonly seconds: number;
  /** Of the processor, where it says so: on a machine with other work the steadier figure. */
  readonly cpuSeconds?: number;
  /** Largest memory of the process so far, where it says so. */
  readonly peakMiB?: number;
}

/** Asks a process of its own, one JSON line at a time. */
export type Answering = ((question: object) => Promise<Answer>) & { end(): void };

/** Starts a program that answers JSON lines; undefined where it does not answer `first`, a question to see if it does. */
export async function answering(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  first: object,
): Promise<Answering | undefined> {
  const child = spawn(program, args, { env: { ...process.env, ...environment }, stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.on('error', () => {});
  child.stdin.on('error', () => {});
  const ask = async (question: object) => {
    child.stdin.write(`${JSON.stringify(question)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`${program} does not answer.`);
    return JSON.parse(value) as Answer;
  };
  try {
    await ask(first);
  } catch {
    return undefined;
  }
  return Object.assign(ask, { end: () => child.kill() });
}

/**
 * A twin under bench/pytorch; undefined where PyTorch is absent. Its threads sleep while they wait: where other programs
 * run, threads that spin would slow it down and make its seconds of the processor look large.
 */
export const pytorch = (script: string, first: object, blasThreads: number): Promise<Answering | undefined> =>
  answering(
    '/usr/bin/python3',
    [`bench/pytorch/${script}`],
    { OPENBLAS_NUM_THREADS: String(blasThreads), OMP_WAIT_POLICY: 'passive' },
    first,
  );

/** What was typed, without what changes no row, and without paths of this machine. */
function commandOf(name: string): string {
  const given = process.argv.slice(2);
  const kept = given.filter((word, i) => !/^--(save|json|state)\b/.test(word) && given[i - 1] !== '--state');
  return ['npm run bench --', name, ...kept].join(' ');
}

/** Writes rows to bench/results/<name>.csv with machine and command, when `--save` is given. */
export async function saveRows(
  name: string,
  rows: readonly Record<string, unknown>[],
  command = commandOf(name),
): Promise<void> {
  if (option('save') === undefined || rows.length === 0) return;
  const quote = (v: unknown) => {
    const text = String(v ?? '');
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const columns = [...new Set(rows.flatMap((r) => Object.keys(r))), 'machine', 'command'];
  const lines = rows.map((r) => columns.map((c) => quote({ ...r, machine: machine(), command }[c])).join(','));
  await mkdir('bench/results', { recursive: true });
  await writeFile(`bench/results/${name}.csv`, `${[columns.join(','), ...lines].join('\n')}\n`);
}
