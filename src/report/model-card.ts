/**
 * The card of a detector, as Markdown: what it is, what it learnt from, how it was judged, how far that can be trusted, and whose
 * weights are in it. After Mitchell et al., Model Cards for Model Reporting (FAT* 2019); left out: people and groups, which images of parts, rows
 * of machines and signals do not name.
 */
import type { RunReport } from '../engine/judging/report-types.ts';
import type { ArtifactInfo } from '../engine/scoring/artifact.ts';
import { findKind } from '../kinds/index.ts';
import { readMetric, shownMetrics, titlesOf } from '../metrics/index.ts';

/** What a card is made of. */
export interface CardParts {
  readonly report: RunReport;
  readonly info: ArtifactInfo;
  /** Licences of pretrained weights that are in the model; none where it has no such weights. */
  readonly weights: readonly { readonly name: string; readonly licence: string }[];
}

export function modelCard({ report, info, weights }: CardParts): string {
  return `${[
    `# ${info.title}`,
    `${info.description} Made with oddity ${info.oddity}, seed ${info.seed}.`,
    section('Data', dataLines(report, info)),
    section('How it was judged', judgedLines(report)),
    section('Threshold', thresholdLines(info)),
    section('Limits', limitLines(report, info)),
    section(
      'Licences',
      weights.length === 0
        ? ['No pretrained weights are in this model.']
        : weights.map(({ name, licence }) => `Weights of ${name}: ${licence}.`),
    ),
    section('Options', [
      `Model \`${info.model}\`.`,
      ...Object.entries(info.config).map(([key, value]) => `\`${key}\`: ${JSON.stringify(value)}`),
    ]),
  ].join('\n\n')}\n`;
}

const section = (title: string, lines: readonly string[]) =>
  `## ${title}\n\n${lines.map((line) => `- ${line}`).join('\n')}`;

function dataLines({ counts, protocol, kind }: RunReport, { data, shape }: ArtifactInfo): string[] {
  const { train, trainAnomalies, validation, test, testAnomalies } = counts;
  return [
    `${data.name} (content ${data.hash.slice(0, 16)}), licence: ${data.licence}.`,
    `Kind of item: ${kind}, as the model sees it ${shape.join(' × ')}; protocol \`${protocol}\`.`,
    `${train} items to learn from${trainAnomalies > 0 ? `, ${trainAnomalies} of them labelled anomalous` : ''}; ${validation} normal items held out for the threshold; ${test} items to judge with, ${testAnomalies} of them anomalous.`,
  ];
}

function judgedLines(report: RunReport): string[] {
  const shown = shownMetrics(report);
  const { item, place } = findKind(report.kind).words;
  const titles = titlesOf(shown, { item, place });
  const lines = shown.flatMap((metric, i) => {
    const value = readMetric(report.metrics, metric);
    if (typeof value !== 'number') return [];
    const interval = readMetric<readonly [number, number] | null>(report.intervals, metric);
    const range = interval ? `, 95 % interval ${rounded(interval[0])} to ${rounded(interval[1])}` : '';
    return [`${titles[i]}: ${rounded(value)}${range}.`];
  });
  if (lines.length > 0) return lines;
  return ['No test item is labelled anomalous, so that nothing is known of what it finds.'];
}

function thresholdLines({ threshold }: ArtifactInfo): string[] {
  if (threshold.value === null) return [`It has none. ${threshold.reason ?? ''}`.trim()];
  return [
    `An item is anomalous from a score of ${threshold.value} on: ${threshold.rule}.`,
    ...(threshold.sawTest ? [] : [`It rests on ${threshold.normals} normal items.`]),
    ...(threshold.reason === null ? [] : [threshold.reason]),
    ...(threshold.sawTest
      ? ['It was chosen with labels of the test part, so that figures at this threshold are too good.']
      : []),
  ];
}

function limitLines(report: RunReport, { kind }: ArtifactInfo): string[] {
  return [
    'Scores are no probabilities, and scores of two detectors cannot be compared.',
    'It knows what is unlike its training items, not what is harmful: an anomaly that looks normal in them is missed.',
    `Figures hold for ${kind === 'image' ? 'images' : 'items'} from where those of the data came; another camera, light, machine or season needs a test of its own.`,
    ...(report.warnings ?? []).map(({ message }) => message),
  ];
}

const rounded = (value: number) => Number(value.toFixed(4)).toString();
