/** Pieces that several sections of a report are made of. */
import { findKind, type KindWords } from '../kinds/index.ts';
import type { Chart } from './charts.ts';
import type { ReportData } from './data.ts';
import { type Html, html } from './html.ts';

/** A chart with its caption. */
export const figureOf = ({ title, text, svg }: Chart): Html =>
  html`<figure class="chart"><figcaption><h3>${title}</h3><p class="note">${text}</p></figcaption>${svg}</figure>`;

/** A table that may be wider than the page: it scrolls by itself, also by keyboard. */
export const scroll = (name: string, table: Html): Html =>
  html`<div class="scroll" role="group" aria-label="${name}" tabindex="0">${table}</div>`;

/** How a report names its items: image, row. */
export const wordsOf = ({ kind = 'image' }: Pick<ReportData, 'kind'>): KindWords => findKind(kind).words;

/** Whether test items are known to be anomalous: without, no alarm can be called right or false. */
export const isLabelled = ({ counts }: Pick<ReportData, 'counts'>): boolean => counts.testAnomalies > 0;
