/** `oddity compare <runA> <runB>`: two runs on the same test items. */
import type { Command } from 'commander';
import { findKind } from '../../kinds/index.ts';
import { findMetric, idOf, metricsOf, titlesOf } from '../../metrics/index.ts';
import { act } from '../act.ts';
import { type Comparison, engine } from '../engine.ts';
import { addSpeech, integer } from '../options.ts';
import { fixed, table } from '../render.ts';
import { intervalText, percent, sawTestBanner } from '../report.ts';

interface Options {
  readonly items?: number;
  readonly versions?: boolean;
}

export function addCompare(command: Command): void {
  command
    .argument('<runA>', 'a run folder')
    .argument('<runB>', 'a run folder')
    .option('--items <n>', 'items to list (default: 10)', integer('--items', 0))
    .option('--versions', 'compare although the data have changed in between: by the names of test items');
  addSpeech(command);
  act(command, async (terminal, { items, versions }: Options, a: string, b: string) => {
    const { compareRuns } = await engine();
    const comparison = await compareRuns({ a, b, items, versions });
    const saw = comparison.a.sawTest || comparison.b.sawTest;
    terminal.answer({ ...comparison, warning: saw ? sawTestBanner : null }, textOf(comparison, saw));
  });
}

function textOf(comparison: Comparison, saw: boolean): string {
  const { a, b, data, kind, testItems, differences, agreement, items } = comparison;
  const names = a.model === b.model ? ['A', 'B'] : [a.model, b.model];
  const signed = (value: number | null) => (value === null ? '–' : `${value < 0 ? '−' : '+'}${fixed(Math.abs(value))}`);
  const interval = ([low, high]: readonly [number, number]) => `${signed(low)} … ${signed(high)}`;
  const known = metricsOf(comparison);
  const metrics = comparison.metrics.filter((m) => m.a !== null || m.b !== null);
  const titles = titlesOf(
    metrics.map((m) => findMetric(idOf(m), known)),
    findKind(kind).words,
  );
  const rows = metrics.map((m, i) => [
    titles[i],
    fixed(m.a),
    fixed(m.b),
    signed(m.difference),
    m.interval ? interval(m.interval) : intervalText(null),
    m.interval && (m.interval[0] > 0 || m.interval[1] < 0) ? 'differ' : '',
  ]);
  const disagreements = items.map((i) => [
    i.id,
    i.class,
    i.label === 1 ? 'anomalous' : 'normal',
    percent(i.rankA),
    percent(i.rankB),
    `${i.decisionA ?? '–'} / ${i.decisionB ?? '–'}`,
  ]);
  const parts = [
    `A ${a.run} (${a.model}, seed ${a.seed})\nB ${b.run} (${b.model}, seed ${b.seed})\non ${testItems} test items of ${data}`,
    ...(saw ? [sawTestBanner] : []),
    ...(differences.length > 0 ? [differences.join('\n')] : []),
    table(['', ...names, 'B − A', '95 %, paired', ''], rows, [1, 2, 3]),
    ...(agreement === null ? [] : [`Their thresholds decide alike on ${percent(agreement)} of the items.`]),
  ];
  if (items.length > 0) {
    parts.push(
      'Ranks farthest apart (0 % the most normal, 100 % the most anomalous of the test items):',
      table(['item', 'class', 'is', 'rank A', 'rank B', 'decisions A / B'], disagreements, [3, 4]),
    );
  }
  return parts.join('\n\n');
}
