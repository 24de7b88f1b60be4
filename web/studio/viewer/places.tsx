/** Where an image stands out: its regions, and the normal place that is most like the oddest one. */

import type { Signal } from '@preact/signals';
import type { NearestPlace } from '../../../src/engine/scoring/detector.ts';
import type { PictureFacts } from '../../../src/studio/inspect/answers.ts';
import { Scroll } from '../evaluate/scroll.tsx';
import { raw, shortId, whole } from '../numbers.ts';
import { inspectWords } from '../words/inspect.ts';
import { within, type Zoom } from './zoom.ts';

const words = inspectWords.viewer;

export function Regions({ regions, size, zoom }: Pick<PictureFacts, 'regions' | 'size'> & { zoom: Signal<Zoom> }) {
  if (regions.length === 0) return <p class="soft">{words.noRegions}</p>;
  return (
    <Scroll label={words.regions}>
      <table>
        <caption>{words.regions}</caption>
        <thead>
          <tr>
            {words.regionHead.map((name, i) => (
              <th key={name} scope="col" class={i > 0 ? 'n' : undefined}>
                {i < 4 ? name : <span class="hidden">{name}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {regions.slice(0, 20).map(({ x, y, width, height, area, peak }, i) => (
            <tr key={`${x} ${y} ${peak}`}>
              <td>
                {x}, {y}
              </td>
              <td class="n">
                {width} × {height}
              </td>
              <td class="n">{whole(area)} px</td>
              <td class="n">{raw(peak)}</td>
              <td class="n">
                <button
                  type="button"
                  aria-label={words.look(i + 1)}
                  title={words.look(i + 1)}
                  onClick={() => {
                    const scale = 0.6 / Math.max(width / size.width, height / size.height);
                    zoom.value = within({ scale, x: (x + width / 2) / size.width, y: (y + height / 2) / size.height });
                  }}
                >
                  ⌕
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** Squares about two places, each cut out of its picture. */
export function Nearest({ path, facts, nearest }: { path: string; facts: PictureFacts; nearest: NearestPlace }) {
  const { height, width } = facts.mapSize;
  const side = Math.min(height, width, Math.max(16, Math.round(Math.min(height, width) / 5)));
  const cut = (at: number, size: number) => Math.min(size - side, Math.max(0, Math.round(at - side / 2)));
  const square = (name: 'image' | 'nearest', x: number, y: number, text: string) => (
    <figure>
      <svg viewBox={`${cut(x, width)} ${cut(y, height)} ${side} ${side}`} role="img" aria-label={text}>
        <title>{text}</title>
        <image width={width} height={height} preserveAspectRatio="none" href={`/api${path}/pictures/${name}`} />
      </svg>
      <figcaption class="soft">{text}</figcaption>
    </figure>
  );
  return (
    <div class="patches">
      <p>{words.nearest(shortId(nearest.normal.id))}</p>
      {square('image', nearest.x, nearest.y, words.oddest)}
      {square('nearest', nearest.normal.x, nearest.normal.y, words.normalPlace)}
    </div>
  );
}
