/** ONNX Runtime's profile (a Chrome trace) → time by operator. */
import type { ProfileRow } from './runtime.ts';

/** What we read of one trace event; times are microseconds. */
interface TraceEvent {
  cat?: string;
  name?: string;
  ts: number;
  dur: number;
  args?: { op_name?: string };
}

interface Kernel {
  op: string;
  ts: number;
  dur: number;
}

/** The kernel of a line of a trace, which holds one event, with a comma or a bracket of the list beside it. */
function kernelOf(line: string): Kernel | undefined {
  if (!line.includes('_kernel_time"')) return undefined;
  const { cat, name, ts, dur, args } = JSON.parse(
    line.slice(line.indexOf('{'), line.lastIndexOf('}') + 1),
  ) as TraceEvent;
  return cat === 'Node' && name?.endsWith('_kernel_time') && args?.op_name ? { op: args.op_name, ts, dur } : undefined;
}

/**
 * Rows by operator, slowest first, from the lines of a trace: it can be longer than a string may be. An operator with a
 * body (Loop, If) is charged only for what its body's nodes do not account for: self time = duration − Σ duration of the
 * nodes that ran within it.
 */
export function summarizeProfile(lines: Iterable<string>): ProfileRow[] {
  const kernels: Kernel[] = [];
  for (const line of lines) {
    const kernel = kernelOf(line);
    if (kernel) kernels.push(kernel);
  }
  kernels.sort((a, b) => a.ts - b.ts || b.dur - a.dur);
  const rows = new Map<string, ProfileRow>();
  const open: { row: ProfileRow; end: number }[] = [];
  for (const { op, ts, dur } of kernels) {
    const row = rows.get(op) ?? { op, calls: 0, milliseconds: 0 };
    rows.set(op, row);
    row.calls++;
    row.milliseconds += dur / 1000;
    while (open.length > 0 && open[open.length - 1].end <= ts) open.pop();
    const around = open[open.length - 1];
    if (around) around.row.milliseconds -= dur / 1000;
    open.push({ row, end: ts + dur });
  }
  return [...rows.values()].sort((a, b) => b.milliseconds - a.milliseconds);
}
