/** The metrics of a run, with the words that each brings along. */

import { readMetric, shownMetrics, titlesOf } from 'oddity/metrics';
import type { RunAnswer } from '../../../src/studio/evaluate/answers.ts';
import { fixed } from '../numbers.ts';
import { evaluateWords } from '../words/evaluate.ts';
import { Scroll } from './scroll.tsx';

const words = evaluateWords.metrics;

export function MetricTable({ report, words: kind }: Pick<RunAnswer, 'report' | 'words'>) {
  const shown = shownMetrics(report);
  const titles = titlesOf(shown, kind);
  return (
    <section>
      <h2>{words.title}</h2>
      <Scroll label={words.title}>
        <table>
          <thead>
            <tr>
              {words.columns.map((column, i) => (
                <th key={column} scope="col" class={i === 1 || i === 2 ? 'n' : i === 3 ? 'wide' : undefined}>
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((metric, i) => {
              const value = readMetric(report.metrics, metric);
              const interval = readMetric<readonly [number, number] | null>(report.intervals, metric);
              const { chance } = metric;
              const meaning = (
                <>
                  {value === null ? readMetric(report.reasons, metric) : metric.meaning}
                  {value !== null && chance !== undefined && (
                    <small> ({chance === 'prevalence' ? words.prevalence : words.chance(fixed(chance))})</small>
                  )}
                </>
              );
              return (
                <tr key={titles[i]}>
                  <th scope="row" title={metric.meaning}>
                    {titles[i]}
                    <small class="narrow">{meaning}</small>
                  </th>
                  <td class="n" title={typeof value === 'number' ? String(value) : undefined}>
                    {fixed(value)}
                  </td>
                  <td class="n interval">{interval ? `${fixed(interval[0])}–${fixed(interval[1])}` : '–'}</td>
                  <td class="wide">{meaning}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}
