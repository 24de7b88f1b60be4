/** The pictures of a report: what was missed, what alarmed without need, what was found; headings say no more than they show. */
import { isLabelled } from './blocks.ts';
import type { ReportData, ReportPictures } from './data.ts';
import { type Html, html } from './html.ts';
import { chooseItems } from './judgement.ts';
import { raw } from './numbers.ts';
import { itemFigure, scaleFigure } from './pictures.ts';

/** Misses, false alarms and hits, on one scale. */
export function gallery(data: ReportData, pictures: ReportPictures): Html {
  const { items, threshold } = data;
  const { value } = threshold;
  const drawn = new Map(pictures.pictures.map((p) => [p.item, p]));
  const { misses, falseAlarms, hits } = chooseItems(items);
  const alarms = (i: number) => value !== null && items[i].score >= value;
  const passes = (i: number) => !alarms(i);
  const labelled = isLabelled(data);
  const group = (id: string, title: string, note: string, chosen: readonly number[]) => {
    const shown = chosen.flatMap((i) => drawn.get(i) ?? []);
    return (
      shown.length > 0 &&
      html`<section aria-labelledby="${id}"><h3 id="${id}">${title}</h3><p class="note">${note}</p>
<div class="gallery">${shown.map((p) => itemFigure(pictures, p, items[p.item], { threshold: value, isLabelled: labelled }))}</div></section>`
    );
  };
  const lowest = 'Anomalous items with the lowest scores, the lowest first.';
  const highest = 'Anomalous items with the highest scores, the highest first.';
  const normals = `${labelled ? 'Normal items' : 'Items'} with the highest scores, the highest first.`;
  if (value === null) {
    return html`${legend(pictures, value)}
${group('misses', 'Anomalies with the lowest scores', lowest, misses)}${group(
  'false-alarms',
  labelled ? 'Normals with the highest scores' : 'Highest scores',
  normals,
  falseAlarms,
)}${group('hits', 'Anomalies with the highest scores', highest, hits)}`;
  }
  const missed = misses.filter(passes);
  const noneFound = hits.length > 0 && !hits.some(alarms);
  return html`${legend(pictures, value)}
${group('misses', 'Worst misses', lowest, missed)}${group(
  'close',
  missed.length === 0 ? 'No anomaly is missed; these come closest' : 'Found, with the lowest scores',
  lowest,
  misses.filter(alarms),
)}${group('false-alarms', labelled ? 'Worst false alarms' : 'Alarms', normals, falseAlarms.filter(alarms))}${group(
  'passed',
  falseAlarms.some(alarms)
    ? 'No alarm, with the highest scores'
    : labelled
      ? 'No false alarms; these come closest'
      : 'No alarms; these come closest',
  normals,
  falseAlarms.filter(passes),
)}${group('hits', 'Clearest detections', highest, hits.filter(alarms))}${group(
  'near',
  noneFound ? 'No anomaly is found; these come closest' : 'Missed, with the highest scores',
  highest,
  hits.filter(passes),
)}`;
}

/** The scale of all maps and what the lines mean. */
function legend(pictures: ReportPictures, value: number | null): Html {
  const { scale } = pictures;
  const contour =
    scale.threshold === null
      ? 'There are no held-out normals, so the scale has no anchor and no contour is drawn.'
      : scale.threshold === value
        ? `The contour runs at the threshold, ${raw(scale.threshold)}: an item alarms exactly when a pixel reaches it.`
        : `The contour runs at ${raw(scale.threshold)}, the threshold of maps: the wanted false-positive rate applied to the highest pixel of each held-out normal map, ` +
          'so that few normal items show any contour. Scores are not pixels: an item may alarm with a small contour and pass with a large one.';
  const hasMasks = pictures.pictures.some((p) => p.mask);
  return html`<div class="legend">${scaleFigure(scale)}
<p class="note">One scale for all maps of this run; the colour covers the image by 72 %, which is why the bar runs from black to white. Below the contour the steps go with the square root. ${contour}
<span class="key"><svg viewBox="0 0 28 8" aria-hidden="true"><path class="contour under" d="M0 4h28"/><path class="contour" d="M0 4h28"/></svg> contour</span>${
    hasMasks &&
    html`<span class="key"><svg viewBox="0 0 28 8" aria-hidden="true"><path class="truth" d="M0 4h28"/><path class="truth dash" d="M0 4h28"/></svg> ground truth</span>`
  }</p></div>`;
}
