/** Frames of a clip about the one with the highest score, each with its map over it, on the scale of all maps of the page. */
import type { ReportFrame, ReportPictures, ReportSeries } from './data.ts';
import { type Html, html } from './html.ts';
import { raw } from './numbers.ts';
import { COVER, dataUrl, mapPng, outline, pixelsPng } from './pictures.ts';

/** The strip; undefined where a clip has none. */
export function frameStrip(
  { id, strip = [], scores }: ReportSeries,
  { shape, scale }: Pick<ReportPictures, 'shape' | 'scale'>,
): Html | undefined {
  if (strip.length === 0) return undefined;
  const [, height, width] = shape;
  const whole = html`width="${width}" height="${height}"`;
  const frame = ({ step, image, map, mask }: ReportFrame) => {
    const level = scale.threshold;
    const contour = level === null ? '' : outline((p) => map[p] >= level, height, width);
    const truth = mask && outline((p) => mask[p] !== 0, height, width);
    const alt = `Frame ${step + 1} of ${id} with its map; score ${raw(scores[step])}`;
    return html`<div class="panel"><svg viewBox="0 0 ${width} ${height}" role="img" class="${Math.max(height, width) < 128 ? 'coarse' : ''}"><title>${alt}</title><image ${whole} href="${dataUrl(pixelsPng(image, shape))}"/><image ${whole} opacity="${COVER}" style="mix-blend-mode:screen" href="${dataUrl(mapPng(map, scale, height, width))}"/>${
      truth && html`<path class="truth" d="${truth}"/><path class="truth dash" d="${truth}"/>`
    }${contour && html`<path class="contour under" d="${contour}"/><path class="contour" d="${contour}"/>`}</svg><span>frame ${step + 1}<br>${raw(scores[step])}</span></div>`;
  };
  return html`<div class="scroll" role="group" aria-label="Frames of ${id}" tabindex="0"><div class="panels strip">${strip.map(frame)}</div></div>`;
}
