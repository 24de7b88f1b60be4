/**
 * Pictures of test items: the image, what the model would have drawn, the map over the image with its contour at the
 * threshold and the ground truth, and the oddest patch beside the normal one that is most like it; each with the same
 * in words.
 */
import { encodePng } from '../data/pure.ts';
import { type Region, regionsAbove } from '../metrics/index.ts';
import type { ReportItem, ReportPatches, ReportPicture, ReportPictures } from './data.ts';
import { type Content, Html, html } from './html.ts';
import { type MapScale, mapColour, placeOnScale, valueOnScale } from './map-image.ts';
import { apart, fixed, percent, raw } from './numbers.ts';

/** How much of the map's colour covers the image. */
export const COVER = 0.72;
/** The longer side of an embedded picture, at most: a page with twenty of them must stay a page. */
const SIDE = 256;

/** One item: its pictures and a caption that says the same. */
export function itemFigure(
  { shape, scale }: ReportPictures,
  picture: ReportPicture,
  item: ReportItem,
  { threshold, isLabelled }: { readonly threshold: number | null; readonly isLabelled: boolean },
): Html {
  const [channels, height, width] = shape;
  const id = `item-${picture.item}`;
  const words = itemText(picture, shape, scale);
  const truth = picture.mask && outline((p) => picture.mask![p] !== 0, height, width);
  const level = scale.threshold;
  const contour = level === null ? '' : outline((p) => picture.map[p] >= level, height, width);
  const panel = (name: string, alt: string, content: Content) => html`<div class="panel">
<svg viewBox="0 0 ${width} ${height}" role="img" class="${Math.max(height, width) < 128 ? 'coarse' : ''}"><title>${alt}</title>${content}</svg>
<span aria-hidden="true">${name}</span></div>`;
  const whole = html`width="${width}" height="${height}"`;
  const decision = decisionOf(item, threshold, isLabelled);
  return html`<figure class="item ${decision?.isRight === false ? 'wrong' : ''}">
<div class="panels">${panel('image', `Image ${item.id}`, html`<image id="${id}" ${whole} href="${dataUrl(pixelsPng(picture.image, shape))}"/>`)}${
    picture.reconstruction &&
    panel(
      'reconstruction',
      `Reconstruction of ${item.id}`,
      html`<image ${whole} href="${dataUrl(pixelsPng(picture.reconstruction, shape))}"/>`,
    )
  }${panel(
    'map',
    `Anomaly map of ${item.id} over the image. ${words.region}`,
    html`<use href="#${id}"${channels >= 3 && new Html(' class="grey"')}/><image ${whole} opacity="${COVER}" href="${dataUrl(
      mapPng(picture.map, scale, height, width),
    )}"/>${truth && html`<path class="truth" d="${truth}"/><path class="truth dash" d="${truth}"/>`}${
      contour && html`<path class="contour under" d="${contour}"/><path class="contour" d="${contour}"/>`
    }`,
  )}</div>${picture.nearest && patchPanels(picture.nearest, channels)}
<figcaption>${decision && html`<span class="decision">${decision.text}</span> `}<b>${item.type}</b> <span class="id">${item.id}</span>
<span class="words">Score ${raw(item.score)}. ${words.region}${words.truth && html` ${words.truth}`}${
    picture.nearest && html` The normal patch that is most like the oddest one is from ${picture.nearest.normal.id}.`
  }</span></figcaption>
</figure>`;
}

/** The oddest patch of an item beside the most similar one of a normal image. */
function patchPanels({ side, own, normal }: ReportPatches, channels: number): Html {
  const panel = (name: string, alt: string, pixels: Float32Array) => html`<div class="panel">
<svg viewBox="0 0 ${side} ${side}" role="img" class="coarse"><title>${alt}</title><image width="${side}" height="${side}" href="${dataUrl(
    pixelsPng(pixels, [channels, side, side]),
  )}"/></svg>
<span aria-hidden="true">${name}</span></div>`;
  const place = (x: number, y: number) => `x ${x}–${x + side - 1}, y ${y}–${y + side - 1}`;
  return html`<div class="panels patches">${panel('oddest patch', `Oddest patch, ${place(own.x, own.y)}`, own.pixels)}${panel(
    'nearest normal patch',
    `The most similar patch of normal images, of ${normal.id}, ${place(normal.x, normal.y)}`,
    normal.pixels,
  )}</div>`;
}

/** What the threshold makes of an item: `missed`, `found`, `false alarm`, `passed`; without labels `alarm` and `no alarm`. */
export function decisionOf({ label, score }: ReportItem, threshold: number | null, isLabelled = true) {
  if (threshold === null) return undefined;
  const alarms = score >= threshold;
  if (!isLabelled) return { text: alarms ? 'alarm' : 'no alarm', isRight: undefined };
  const text = label ? (alarms ? 'found' : 'missed') : alarms ? 'false alarm' : 'passed';
  return { text, isRight: alarms === (label === 1) };
}

/** The largest region at the contour and how it meets the ground truth, in words. */
function itemText(
  { map, mask }: ReportPicture,
  [, height, width]: readonly [number, number, number],
  { threshold: level }: MapScale,
): { region: string; truth?: string } {
  if (level === null)
    return { region: `Peak of the map ${raw(map.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY))}.` };
  const [largest] = [...regionsAbove(map, level, height, width).regions].sort((a, b) => b.area - a.area);
  const region = largest
    ? `Largest region: ${percent(largest.area / (height * width))} of the picture, ${placeOf(largest, height, width)} ` +
      `(x ${largest.x}–${largest.x + largest.width - 1}, y ${largest.y}–${largest.y + largest.height - 1}), peak ${raw(largest.peak!)}.`
    : `No pixel reaches the contour level; the highest is ${warmest(map, height, width)}.`;
  if (!mask) return { region };
  let [both, either, truth] = [0, 0, 0];
  for (let p = 0; p < mask.length; p++) {
    const [a, b] = [map[p] >= level, mask[p] !== 0];
    if (a && b) both++;
    if (a || b) either++;
    if (b) truth++;
  }
  if (truth === 0) return { region };
  return {
    region,
    truth: `Ground truth: ${percent(truth / mask.length)} of the picture, overlap (IoU) ${fixed(both / either, 2)}.`,
  };
}

/** Where the largest value of a map lies, and what it is. */
function warmest(map: Float32Array, height: number, width: number): string {
  const p = map.reduce((best, value, i) => (value > map[best] ? i : best), 0);
  const [x, y] = [p % width, Math.floor(p / width)];
  return `${raw(map[p])}, ${placeOf({ x, y, width: 1, height: 1 }, height, width)} (x ${x}, y ${y})`;
}

/** Where the middle of a region lies: `upper left`, `centre`, `right`. */
export function placeOf(
  { x, y, width: w, height: h }: Pick<Region, 'x' | 'y' | 'width' | 'height'>,
  height: number,
  width: number,
): string {
  const third = (at: number, size: number) => Math.min(2, Math.floor((3 * at) / size));
  const across = ['left', '', 'right'][third(x + w / 2, width)];
  const down = ['upper', '', 'lower'][third(y + h / 2, height)];
  return [down, across].filter((word) => word !== '').join(' ') || 'centre';
}

/** The borders between pixels inside and outside, as an SVG path in pixel coordinates. */
export function outline(isInside: (p: number) => boolean, height: number, width: number): string {
  const inside = (y: number, x: number) => y >= 0 && x >= 0 && y < height && x < width && isInside(y * width + x);
  const parts: string[] = [];
  for (let y = 0; y <= height; y++) {
    for (let x = 0; x < width; x++) {
      const from = x;
      while (x < width && inside(y - 1, x) !== inside(y, x)) x++;
      if (x > from) parts.push(`M${from} ${y}h${x - from}`);
    }
  }
  for (let x = 0; x <= width; x++) {
    for (let y = 0; y < height; y++) {
      const from = y;
      while (y < height && inside(y, x - 1) !== inside(y, x)) y++;
      if (y > from) parts.push(`M${x} ${from}v${y - from}`);
    }
  }
  return parts.join('');
}

/** The scale of all pictures: its colours over black, grey and white, with the values at ends, threshold and between. */
export function scaleFigure(scale: MapScale): Html {
  const [columns, rows] = [256, 8];
  const data = new Uint8Array(3 * columns * rows);
  for (let y = 0; y < rows; y++) {
    const under = (255 * y) / (rows - 1);
    for (let x = 0; x < columns; x++) {
      const rgb = mapColour(x / (columns - 1)).map((v) => Math.round(COVER * v + (1 - COVER) * under));
      data.set(rgb, 3 * (y * columns + x));
    }
  }
  const hasMiddle = scale.threshold !== null && scale.threshold > scale.low && scale.threshold < scale.high;
  const places = hasMiddle ? [0, 0.25, 0.5, 0.75, 1] : [0, 0.5, 1];
  const names = hasMiddle ? ['lowest', '', 'contour', '', 'highest'] : ['lowest', '', 'highest'];
  const values = apart(
    places.map((t) => {
      const exact = valueOnScale(t, scale);
      return Math.abs(exact) < 1e-4 * (scale.high - scale.low) ? 0 : exact; // 1.6e-15 is noise on a scale that ends at 0.4
    }),
  );
  const marks = places.map((t, i) => {
    const value = `${t === 1 ? '≥ ' : ''}${values[i]}`;
    const anchor = t === 0 ? 'start' : t === 1 ? 'end' : 'middle';
    return html`<path d="M${400 * t} 30v6" stroke="currentColor"/><text x="${400 * t}" y="50" text-anchor="${anchor}">${value}</text>${
      names[i] && html`<text x="${400 * t}" y="66" text-anchor="${anchor}" class="name">${names[i]}</text>`
    }`;
  });
  const text = `Colours from ${raw(scale.low)} (black) ${hasMiddle ? `over ${raw(scale.threshold!)} (from blue to rust, where the contour runs) ` : ''}to ${raw(scale.high)} (pale yellow).`;
  return html`<svg class="scale" viewBox="0 0 400 70" role="img"><title>Colour scale of all maps</title><desc>${text}</desc>
<image width="400" height="30" preserveAspectRatio="none" href="${dataUrl(encodePng({ height: rows, width: columns, channels: 3, data }))}"/>
${marks}</svg>`;
}

/** An image in [0, 1] as PNG: grey for one channel, the first three as RGB otherwise; large ones are made smaller. */
export function pixelsPng(
  pixels: Float32Array,
  [channels, height, width]: readonly [number, number, number],
): Uint8Array {
  const area = height * width;
  const shown = channels >= 3 ? 3 : 1;
  const planes = Array.from({ length: shown }, (_, c) => {
    const plane = pixels.subarray(c * area, (c + 1) * area);
    return reduce(plane, height, width, (values) => values.reduce((a, b) => a + b, 0) / values.length);
  });
  const [{ height: h, width: w }] = planes;
  const byte = (v: number) => Math.round(255 * Math.min(1, Math.max(0, v)));
  const data = Uint8Array.from({ length: shown * h * w }, (_, i) =>
    byte(planes[i % shown].data[Math.floor(i / shown)]),
  );
  return encodePng({ height: h, width: w, channels: shown, data });
}

/** A map's colours as PNG; where it is made smaller, the largest value of a block stays. */
export function mapPng(map: Float32Array, scale: MapScale, height: number, width: number): Uint8Array {
  const small = reduce(map, height, width, (values) => Math.max(...values));
  const data = new Uint8Array(3 * small.data.length);
  for (const [p, value] of small.data.entries()) data.set(mapColour(placeOnScale(value, scale)).map(Math.round), 3 * p);
  return encodePng({ height: small.height, width: small.width, channels: 3, data });
}

/** One value per square block, so that the longer side has at most `SIDE` pixels; contours are not drawn from it. */
function reduce(plane: Float32Array, height: number, width: number, join: (values: number[]) => number) {
  const step = Math.ceil(Math.max(height, width) / SIDE);
  if (step === 1) return { height, width, data: plane };
  const [h, w] = [Math.ceil(height / step), Math.ceil(width / step)];
  const data = Float32Array.from({ length: h * w }, (_, i) => {
    const [top, left] = [Math.floor(i / w) * step, (i % w) * step];
    const values: number[] = [];
    for (let y = top; y < Math.min(height, top + step); y++) {
      for (let x = left; x < Math.min(width, left + step); x++) values.push(plane[y * width + x]);
    }
    return join(values);
  });
  return { height: h, width: w, data };
}

export function dataUrl(png: Uint8Array): string {
  let text = '';
  for (const byte of png) text += String.fromCharCode(byte);
  return `data:image/png;base64,${btoa(text)}`;
}
