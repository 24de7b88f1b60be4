/** What a threshold does: confusion matrix, rates with their intervals, types of items. They move with the threshold at once. */

import type { ReadonlySignal } from '@preact/signals';
import { Link } from '../components/link.tsx';
import { percent, percentInterval, whole } from '../numbers.ts';
import { addressOf } from '../place.ts';
import { evaluateWords } from '../words/evaluate.ts';
import type { Choice } from './histogram.tsx';
import { alarmsOf, type Model } from './model.ts';
import { Scroll } from './scroll.tsx';

const words = evaluateWords.figures;

/** A share in a row of figures. */
interface Row {
  readonly words: readonly [name: string, meaning: string];
  readonly share: number | null;
  readonly interval?: readonly [number, number];
  readonly count?: readonly [count: number, total: number];
}

export function Figures({ model, choice }: { model: Model; choice: Choice }) {
  const threshold = choice.threshold.value;
  const review = choice.review.value;
  const point = model.points.at(threshold);
  const { truePositives: hits, falsePositives, trueNegatives, falseNegatives } = point;
  const band = review === null ? undefined : model.points.verdicts({ low: review, high: threshold });
  const [normals, anomalies] = [falsePositives + trueNegatives, hits + falseNegatives];
  const held = model.heldOut(threshold);
  const all = normals + anomalies;
  const rows: Row[] = [
    ...(anomalies > 0
      ? [
          {
            words: words.recall,
            share: point.recall,
            interval: point.recallInterval,
            count: [hits, anomalies] as const,
          },
          {
            words: words.missRate,
            share: point.missRate,
            interval: point.missInterval,
            count: [falseNegatives, anomalies] as const,
          },
          {
            words: words.precision,
            share: point.precision,
            interval: point.precisionInterval,
            count: [hits, hits + falsePositives] as const,
          },
        ]
      : []),
    {
      words: words.falseAlarmRate,
      share: point.falseAlarmRate,
      interval: point.falseAlarmInterval,
      count: [falsePositives, normals],
    },
    ...(band
      ? [
          {
            words: words.toReview,
            share: (band.normal.review + band.anomalous.review) / all,
            count: [band.normal.review + band.anomalous.review, all] as const,
          },
        ]
      : []),
    ...(held.normals > 0
      ? [
          {
            words: words.held,
            share: held.empiricalRate,
            interval: held.interval,
            count: [Math.round(held.empiricalRate! * held.normals), held.normals] as const,
          },
          { words: words.expect, share: null, interval: held.rateInterval },
        ]
      : []),
  ];
  return (
    <>
      <Scroll label={words.matrix}>
        <table class="matrix">
          <caption>{words.matrix}</caption>
          <thead>
            <tr>
              <td />
              <th scope="col">{words.alarm}</th>
              {band && <th scope="col">{words.review}</th>}
              <th scope="col">{words.pass}</th>
            </tr>
          </thead>
          <tbody>
            <tr>
              <th scope="row">{words.anomalous}</th>
              <Cell count={hits} text={words.found} />
              {band && <Cell count={band.anomalous.review} text={words.review} />}
              <Cell count={band ? band.anomalous.pass : falseNegatives} text={words.missed} isBad />
            </tr>
            <tr>
              <th scope="row">{words.normal}</th>
              <Cell count={falsePositives} text={words.falseAlarms} isBad />
              {band && <Cell count={band.normal.review} text={words.review} />}
              <Cell count={band ? band.normal.pass : trueNegatives} text={words.passed} />
            </tr>
          </tbody>
        </table>
      </Scroll>
      <Scroll label={words.title}>
        <table class="figures">
          <caption>{words.title}</caption>
          <thead>
            <tr>
              <td />
              <th scope="col" class="n">
                {words.share}
              </th>
              <th scope="col" class="n">
                {words.interval}
              </th>
              <th scope="col" class="n">
                {words.count}
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ words: [name, meaning], share, interval, count }) => (
              <tr key={name}>
                <th scope="row" title={meaning}>
                  {name}
                  <small>{meaning}</small>
                </th>
                <td class="n" title={share === null ? undefined : String(share)} data-figure={name}>
                  {percent(share)}
                </td>
                <td class="n" title={interval && `${interval[0]} – ${interval[1]}`}>
                  {interval && (count === undefined || count[1] > 0) ? percentInterval(interval) : '–'}
                </td>
                <td class="n">{count ? words.of(whole(count[0]), whole(count[1])) : ''}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </>
  );
}

function Cell({ count, text, isBad = false }: { count: number; text: string; isBad?: boolean }) {
  return (
    <td class={isBad && count > 0 ? 'bad' : undefined}>
      <b>{whole(count)}</b>
      <small>{text}</small>
    </td>
  );
}

/** How each type of item fares: recall of a defect, false alarms of normal items. */
export function Types(props: { project: string; run: string; model: Model; threshold: ReadonlySignal<number> }) {
  const { project, run, model } = props;
  const { columns, title, inspect } = evaluateWords.types;
  const threshold = props.threshold.value;
  return (
    <div class="scroll">
      <table>
        <caption>{title}</caption>
        <thead>
          <tr>
            {columns.map((name, i) => (
              <th key={name} scope="col" class={i > 0 ? 'n' : undefined}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {model.types.map((one) => {
            const { share, interval, count, total } = alarmsOf(one, threshold);
            return (
              <tr key={`${one.label} ${one.type}`}>
                <th scope="row">
                  <Link to={addressOf(project, 'inspect', { run, show: 'all', type: one.type })}>
                    <span class="hidden">{inspect('')}</span>
                    {one.type}
                  </Link>{' '}
                  {one.type !== (one.label === 1 ? words.anomalous : words.normal) && (
                    <small class={one.label === 1 ? 'anomalous' : 'normal'}>
                      {one.label === 1 ? words.anomalous : words.normal}
                    </small>
                  )}
                </th>
                <td class="n">{whole(total)}</td>
                <td class="n" title={`${count} of ${total}`}>
                  {percent(share)}
                </td>
                <td class="n">{percentInterval(interval)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
