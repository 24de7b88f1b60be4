/** The page of `clean`: which items are odd among the supposed normals, and what of them is. Data in, text out. */
import { visibleText } from '../core/visible.ts';
import type { ColumnShare } from '../data/pure.ts';
import { findKind } from '../kinds/index.ts';
import { scroll } from './blocks.ts';
import { Html, html } from './html.ts';
import type { MapScale } from './map-image.ts';
import { raw, whole } from './numbers.ts';
import { itemFigure, scaleFigure } from './pictures.ts';
import { columnText } from './row-table.ts';
import { style } from './style.ts';

/** What the page shows. */
export interface CleanPageData {
  readonly data: string;
  readonly kind: string;
  readonly counts: { readonly items: number; readonly odd: number };
  /** Null where there is none. */
  readonly cut: number | null;
  /** The oddest first. */
  readonly ranked: readonly {
    readonly id: string;
    readonly score: number;
    readonly isOdd: boolean;
    readonly columns?: readonly ColumnShare[];
  }[];
  /** The oddest images with their maps. */
  readonly pictures?: {
    readonly shape: readonly [number, number, number];
    readonly scale: MapScale;
    readonly shown: readonly {
      readonly id: string;
      readonly score: number;
      readonly image: Float32Array;
      readonly map: Float32Array;
    }[];
  };
}

/** Items of the table. */
const LISTED = 100;

/** The page as text. */
export function cleanPage(given: CleanPageData): string {
  const { data, kind, counts, cut, ranked, pictures } = given;
  const { items } = findKind(kind).words;
  const verdict =
    cut === null
      ? html`The scores of most ${items} are equal, so no cut can be suggested; the ranking below is all there is.`
      : html`<b>${whole(counts.odd)} of ${whole(counts.items)} ${items} stand out</b> above the suggested cut, ${raw(cut)}. Look at them before you leave them out: odd is not wrong.`;
  const listed = ranked.slice(0, Math.max(LISTED, counts.odd));
  const withColumns = listed.some(({ columns }) => columns);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>Odd ones in ${data} – oddity</title>
<style>${new Html(style)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the list</a>
<header>
<p class="brand">oddity</p>
<h1>Odd ones <span>in ${data}</span></h1>
<p class="lead">${verdict}</p>
</header>
<main id="main" tabindex="-1">
${pictures && gallery(given, pictures)}
<section aria-labelledby="list-title"><h2 id="list-title">Ranking</h2>
${scroll(
  'Ranking',
  html`<table class="rows"><caption>The ${whole(listed.length)} oddest ${items}, the oddest first. Scores compare within this ranking only.</caption>
<thead><tr><th scope="col">${findKind(kind).words.item}</th><th scope="col" class="n">score</th><th scope="col">suggestion</th>${
    withColumns && html`<th scope="col">columns that stand out</th>`
  }</tr></thead>
<tbody>${listed.map(
    ({ id, score, isOdd, columns = [] }) =>
      html`<tr><th scope="row">${id}</th><td class="n">${raw(score)}</td><td>${isOdd ? 'leave out' : 'keep'}</td>${
        withColumns && html`<td>${columns.map(columnText)}</td>`
      }</tr>`,
  )}</tbody></table>`,
)}</section>
</main>
<footer><p>This page loads nothing and sends nothing.</p></footer>
</body>
</html>
`;
  return visibleText(page.text);
}

/** The oddest images with their maps. */
function gallery({ cut }: CleanPageData, { shape, scale, shown }: NonNullable<CleanPageData['pictures']>): Html {
  const type = (score: number) => (cut !== null && score > cut ? 'leave out' : 'keep');
  const figures = shown.map(({ id, score, image, map }, item) =>
    itemFigure(
      { shape, scale, pictures: [] },
      { item, image, map },
      { id, score, label: 0, type: type(score) },
      { threshold: null, isLabelled: false },
    ),
  );
  return html`<section aria-labelledby="pictures-title"><h2 id="pictures-title">Pictures</h2>
<div class="legend">${scaleFigure(scale)}<p class="note">The oddest images. The warmer a place, the less of it is found in the other images; one scale for all maps.</p></div>
<div class="gallery">${figures}</div></section>`;
}
