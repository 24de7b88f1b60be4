/** The rows of a table that stand out most, with the columns that made them so. */

import { type ColumnShare, usualText } from '../data/pure.ts';
import { isLabelled, scroll } from './blocks.ts';
import type { ReportData, ReportRow } from './data.ts';
import { type Html, html } from './html.ts';
import { percent, raw } from './numbers.ts';
import { decisionOf } from './pictures.ts';

/** A line for each row, the highest score first. */
export function rowTable(data: ReportData, rows: readonly ReportRow[]): Html {
  const { items, threshold } = data;
  const labelled = isLabelled(data);
  return scroll(
    'Most anomalous rows',
    html`<table class="rows"><caption>The test rows with the highest scores, and the columns that contribute most to each${
      rows.some(({ columns }) => columns.some((c) => c.usual)) && ', with the usual range of training rows'
    }.</caption>
<thead><tr><th scope="col">row</th>${labelled && html`<th scope="col">label</th>`}<th scope="col" class="n">score</th>${
      threshold.value !== null && html`<th scope="col">decision</th>`
    }<th scope="col">columns that stand out</th></tr></thead>
<tbody>${rows.map(({ item, columns }) => {
      const { id, type, score } = items[item];
      const decision = decisionOf(items[item], threshold.value, labelled);
      return html`<tr><th scope="row">${id}</th>${labelled && html`<td>${type}</td>`}<td class="n">${raw(score)}</td>${
        decision && html`<td>${decision.text}</td>`
      }<td>${columns.map(columnText)}</td></tr>`;
    })}</tbody></table>`,
  );
}

/** `load 900 (usually 20.1 to 22.9), 84 %`. */
export function columnText(column: ColumnShare): Html {
  const { name, cell, share } = column;
  const usual = usualText(column);
  const value = cell === '' ? 'is missing' : cell;
  return html`<span class="reason"><b>${name}</b>${value !== undefined && html` ${value}`}${usual && html` <small>(usually ${usual})</small>`} <small>${percent(share)}</small></span>`;
}
