/** Reads `metrics.json`, also one of version 0.1.0, which named metrics otherwise. */
import { withRateInterval } from '../engine/judging/calibrate.ts';
import type { RunReport } from '../engine/judging/report-types.ts';
import { metrics } from '../metrics/index.ts';
import { readJsonIfThere } from './files.ts';
import { runFiles } from './folder.ts';
import { checkReport } from './report-schema.ts';

/** The report of a run in today's form; undefined where the run has none. Throws DataError `metrics-damaged`. */
export async function readReport(run: string): Promise<RunReport | undefined> {
  const path = runFiles(run).metrics;
  const report = await readJsonIfThere(path, 'metrics-damaged');
  return report && migrateReport(checkReport(report, path));
}

/** By name: `imageAuroc`, `pixelAuroc`; and by plain names, which are of one level each: `prevalence`, `dice`. */
type OldValues<T> = Readonly<Record<string, T>>;

/** What 0.1.0 wrote in another way. */
export interface OldReport extends Omit<RunReport, 'metrics' | 'intervals' | 'reasons' | 'baselines' | 'perType'> {
  readonly metrics: OldValues<number | null>;
  readonly intervals: OldValues<readonly [number, number] | null>;
  readonly reasons: OldValues<string>;
  readonly baselines: Readonly<Record<string, OldValues<number | null>>>;
  readonly perType: readonly (Omit<RunReport['perType'][number], 'metrics'> & Record<'auroc' | 'ap', number | null>)[];
}

const isOld = (report: RunReport | OldReport): report is OldReport => !('item' in report.metrics);

/** A report of any version in today's form. */
export function migrateReport(written: RunReport | OldReport): RunReport {
  const report = { ...written, threshold: withRateInterval(written.threshold) };
  if (!isOld(report)) return report;
  const { perType } = report;
  const hasMaps =
    report.kind === 'image' || Object.entries(report.metrics).some(([name, v]) => isOfMaps(name) && v !== null);
  const byLevel = <T>(values: OldValues<T>) => {
    const of = (wanted: (name: string) => boolean) =>
      Object.fromEntries(
        Object.entries(values).flatMap(([name, value]) => (wanted(name) ? [[nameOf(name), value]] : [])),
      );
    return { item: of((name) => !isOfMaps(name)), ...(hasMaps && { map: of(isOfMaps) }) };
  };
  return {
    ...report,
    metrics: byLevel(report.metrics),
    intervals: byLevel(report.intervals),
    reasons: byLevel(report.reasons),
    baselines: Object.fromEntries(Object.entries(report.baselines).map(([name, values]) => [name, byLevel(values)])),
    perType: perType.map(({ auroc, ap, ...rest }) => ({ ...rest, metrics: { auroc, ap } })),
  } as unknown as RunReport;
}

const isOfMaps = (name: string) =>
  name.startsWith('pixel') || (!name.startsWith('image') && metrics.find((m) => m.name === name)?.level === 'map');

/** `imageF1Max` was `f1Max` of items. */
function nameOf(name: string): string {
  const bare = name.replace(/^(image|pixel)/, '');
  return bare[0].toLowerCase() + bare.slice(1);
}
