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

/**
 * Rows by operator, slowest first. An operator with a body (Loop, If) is charged only for what its body's nodes do
 * not account for: self time = duration − Σ duration of the nodes that ran within it.
 */
export function summarizeProfile(trace: string): ProfileRow[] {
  const kernels = (JSON.parse(trace) as TraceEvent[])
    .filter((event) => event.cat === 'Node' && event.name?.endsWith('_kernel_time') && event.args?.op_name)
    .sort((a, b) => a.ts - b.ts || b.dur - a.dur);
  const rows = new Map<string, ProfileRow>();
  const open: { row: ProfileRow; end: number }[] = [];
  for (const { ts, dur, args } of kernels) {
    const op = args?.op_name ?? '';
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
