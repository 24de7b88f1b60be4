/**
 * Pictures that look like parts on a line, drawn by rule: brushed metal, printed circuits, threaded pins, turned rings.
 * Each is `[3, side, side]` in [0, 1] and a function of the stream alone.
 */
import type { Rng } from '../../src/core/random.ts';
import { perlinNoise } from '../../src/data/transforms/perlin.ts';

type Draw = (side: number, rng: Rng) => Float32Array;
type Colour = readonly [number, number, number];

const between = (rng: Rng, low: number, high: number) => low + (high - low) * rng.uniform();
const scaleBetween = (rng: Rng, low: number, high: number) => low * (high / low) ** rng.uniform();
const cover = (distance: number) => Math.min(1, Math.max(0, 0.5 - distance)); // of a pixel by what ends at the distance

/** Mostly a grey, sometimes a colour. */
function colour(rng: Rng): Colour {
  const level = rng.uniform();
  if (rng.uniform() < 0.5) return [level, level, level];
  return [level, level, level].map((v) => Math.min(1, Math.max(0, v + between(rng, -0.3, 0.3)))) as unknown as Colour;
}

/** Fields of one plane, seen between two colours. */
function tinted(field: Float32Array, from: Colour, to: Colour): Float32Array {
  const out = new Float32Array(3 * field.length);
  for (let c = 0; c < 3; c++)
    for (let p = 0; p < field.length; p++)
      out[c * field.length + p] = Math.min(1, Math.max(0, from[c] + (to[c] - from[c]) * field[p]));
  return out;
}

const noise = (side: number, pixels: number, rng: Rng) => {
  const n = Math.max(1, Math.round(side / pixels));
  return perlinNoise({ height: side, width: side, cells: [n, n] }, rng);
};

/** A ground of grey metal: streaks of a tool along a direction, shading, pits and scratches. */
const metal: Draw = (side, rng) => {
  const shade = noise(side, scaleBetween(rng, 40, side), rng.split('shade'));
  const angle = Math.PI * rng.uniform();
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const streaks = rng.split('streaks').normals(4 * side);
  const grain = rng.split('grain').normals(side * side);
  const [width, depth, light, rough] = [
    scaleBetween(rng, 0.7, 5),
    between(rng, 0, 0.15),
    between(rng, 0.02, 0.25),
    between(rng, 0, 0.08),
  ];
  const field = new Float32Array(side * side);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const at = (sin * x - cos * y) / width + 2 * side;
      const i = ((Math.floor(at) % streaks.length) + streaks.length) % streaks.length;
      const part = at - Math.floor(at);
      const streak = (1 - part) * streaks[i] + part * streaks[(i + 1) % streaks.length];
      const p = y * side + x;
      field[p] = 0.5 + depth * streak + light * shade[p] + rough * grain[p];
    }
  const marks = rng.int(6);
  for (let i = 0; i < marks; i++) {
    const mark = rng.split('mark').split(i);
    const [y, x, way] = [mark.uniform() * side, mark.uniform() * side, 2 * Math.PI * mark.uniform()];
    const long = mark.uniform() < 0.5 ? scaleBetween(mark, 10, side) : 0;
    const [radius, change] = [scaleBetween(mark, 0.5, 5), between(mark, -0.5, 0.4)];
    stroke(side, [y, x, y + long * Math.sin(way), x + long * Math.cos(way)], radius, (p, share) => {
      field[p] += share * change;
    });
  }
  const [low, high] = [between(rng, 0, 0.4), between(rng, 0.5, 1)];
  const warm = between(rng, -0.04, 0.04);
  return tinted(field, [low + warm, low, low - warm], [high + warm, high, high - warm]);
};

/** Calls back for the pixels of a thick line with round ends. */
function stroke(
  side: number,
  [y0, x0, y1, x1]: readonly number[],
  radius: number,
  set: (p: number, share: number) => void,
): void {
  const [dy, dx] = [y1 - y0, x1 - x0];
  const squared = Math.max(1e-9, dy * dy + dx * dx);
  const rows = [Math.min(y0, y1) - radius - 1, Math.max(y0, y1) + radius + 1];
  const columns = [Math.min(x0, x1) - radius - 1, Math.max(x0, x1) + radius + 1];
  for (let y = Math.max(0, Math.floor(rows[0])); y <= Math.min(side - 1, rows[1]); y++)
    for (let x = Math.max(0, Math.floor(columns[0])); x <= Math.min(side - 1, columns[1]); x++) {
      const t = Math.min(1, Math.max(0, ((y - y0) * dy + (x - x0) * dx) / squared));
      const share = cover(Math.hypot(y - y0 - t * dy, x - x0 - t * dx) - radius);
      if (share > 0) set(y * side + x, share);
    }
}

const STEPS8 = [0, 1, 2, 3, 4, 5, 6, 7].map((k) => [
  Math.round(Math.sin((k * Math.PI) / 4)),
  Math.round(Math.cos((k * Math.PI) / 4)),
]);

/** Tracks on a lattice that turn by 45° or 90°, pads at their ends, holes in some, areas of copper. */
const circuit: Draw = (side, rng) => {
  const field = new Float32Array(side * side);
  const lay = (p: number, share: number) => {
    field[p] = Math.max(field[p], share);
  };
  const clear = (p: number, share: number) => {
    field[p] = Math.min(field[p], 1 - share);
  };
  const pitch = scaleBetween(rng, 7, 36);
  const width = pitch * between(rng, 0.1, 0.32);
  const pad = pitch * between(rng, 0.25, 0.48);
  const hole = rng.uniform() < 0.6 ? pad * between(rng, 0.3, 0.65) : 0;
  const n = Math.ceil(side / pitch) + 1;
  const used = new Uint8Array(n * n);
  const tracks = Math.round(n * n * between(rng, 0.04, 0.16));
  const holes: number[][] = [];
  for (let i = 0; i < tracks; i++) {
    const stream = rng.split('track').split(i);
    let [row, column, way] = [stream.int(n), stream.int(n), stream.int(8)];
    const ends: number[][] = [];
    for (let steps = 2 + stream.int(10); steps > 0; steps--) {
      const [r, c] = [row + STEPS8[way][0], column + STEPS8[way][1]];
      if (r < 0 || c < 0 || r >= n || c >= n || used[r * n + c]) {
        way = (way + (stream.int(2) === 0 ? 1 : 7)) % 8;
        continue;
      }
      if (ends.length === 0) ends.push([row, column]);
      used[row * n + column] = 1;
      used[r * n + c] = 1;
      stroke(side, [row * pitch, column * pitch, r * pitch, c * pitch], width, lay);
      [row, column] = [r, c];
      if (stream.uniform() < 0.25) way = (way + (stream.int(2) === 0 ? 1 : 7)) % 8;
    }
    ends.push([row, column]);
    for (const [r, c] of ends) {
      if (stream.uniform() < 0.3) continue;
      stroke(side, [r * pitch, c * pitch, r * pitch, c * pitch], pad, lay);
      if (hole > 0) holes.push([r * pitch, c * pitch]);
    }
  }
  if (rng.uniform() < 0.3) {
    const area = rng.split('area');
    const [y, x, h] = [between(area, 0, side), between(area, 0, side), between(area, side / 8, side / 2)];
    stroke(side, [y, x - h, y, x + h], h / 3, lay);
  }
  for (const [y, x] of holes) stroke(side, [y, x, y, x], hole, clear);
  const style = rng.uniform();
  if (style < 0.4) return tinted(field, [0, 0, 0], [1, 1, 1]);
  if (style < 0.6) return tinted(field, [1, 1, 1], [0, 0, 0]);
  return tinted(field, colour(rng.split('board')), colour(rng.split('copper')));
};

/** A pin with a thread and a head on a plain ground, turned by any angle and lit from a side. */
const thread: Draw = (side, rng) => {
  const angle = 2 * Math.PI * rng.uniform();
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [cy, cx] = [between(rng, 0.35, 0.65) * side, between(rng, 0.35, 0.65) * side];
  const long = between(rng, 0.25, 0.6) * side;
  const radius = between(rng, 0.04, 0.16) * side;
  const pitch = scaleBetween(rng, 3, 16);
  const [deep, slant, light] = [between(rng, 0.05, 0.3), between(rng, -0.6, 0.6), between(rng, -0.6, 0.6)];
  const [head, headLong] = [radius * between(rng, 1.2, 2.2), radius * between(rng, 0.6, 1.6)];
  const start = between(rng, -1, 0.3) * long;
  const grain = rng.split('grain').normals(side * side);
  const rough = between(rng, 0, 0.05);
  const shade = noise(side, side / 2, rng.split('shade'));
  const ground = between(rng, 0, 1);
  const field = new Float32Array(side * side);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const p = y * side + x;
      const [along, across] = [cos * (x - cx) + sin * (y - cy), cos * (y - cy) - sin * (x - cx)];
      let value = ground + 0.1 * shade[p];
      const isHead = along < -long && along > -long - headLong;
      const wave = Math.sin((2 * Math.PI * (along + slant * across)) / pitch);
      const edge = isHead ? head : radius * (along > start ? 1 + 0.12 * wave : 0.9);
      const inside = cover(Math.abs(across) - edge) * cover(-long - headLong - along) * cover(along - long);
      if (inside > 0) {
        const height = Math.sqrt(Math.max(0, 1 - (across / edge) ** 2));
        const lit = 0.25 + 0.6 * height + light * (across / edge) * 0.4 + (along > start && !isHead ? deep * wave : 0);
        value += inside * (lit - value);
      }
      field[p] = value + rough * grain[p];
    }
  return tinted(field, [0, 0, 0], rng.uniform() < 0.7 ? [1, 1, 1] : colour(rng.split('tint')));
};

/** Rings about one middle: a lens, a washer, a bearing, a bottle's mouth; some with bolts or teeth about it. */
const rings: Draw = (side, rng) => {
  const [cy, cx] = [between(rng, 0.3, 0.7) * side, between(rng, 0.3, 0.7) * side];
  const squash = rng.uniform() < 0.6 ? 1 : between(rng, 0.6, 1);
  const levels = Array.from({ length: 2 + rng.int(6) }, () => ({
    to: rng.uniform() * 0.75 * side,
    value: rng.uniform(),
  }));
  levels.sort((a, b) => a.to - b.to);
  const outside = rng.uniform();
  const [teeth, tooth] = [rng.uniform() < 0.4 ? 3 + rng.int(30) : 0, between(rng, 0.5, 6)];
  const sheen = rng.uniform() < 0.5 ? between(rng, 0.05, 0.3) : 0;
  const [lobes, turned] = [1 + rng.int(4), 2 * Math.PI * rng.uniform()];
  const soft = scaleBetween(rng, 0.7, 8);
  const grain = rng.split('grain').normals(side * side);
  const rough = between(rng, 0, 0.05);
  const field = new Float32Array(side * side);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const [dy, dx] = [(y - cy) / squash, x - cx];
      const way = Math.atan2(dy, dx);
      const r = Math.hypot(dy, dx) + (teeth > 0 ? tooth * Math.tanh(3 * Math.sin(teeth * way)) : 0);
      let value = outside;
      for (let i = levels.length - 1; i >= 0; i--)
        value += cover((r - levels[i].to) / soft) * (levels[i].value - value);
      field[y * side + x] = value + sheen * Math.cos(lobes * way + turned) + rough * grain[y * side + x];
    }
  return tinted(field, [0, 0, 0], rng.uniform() < 0.6 ? [1, 1, 1] : colour(rng.split('tint')));
};

/** Circuits twice: they have the most kinds of corners. */
const kinds: readonly Draw[] = [metal, circuit, circuit, thread, rings];

/** One of the kinds. */
export const drawPart: Draw = (side, rng) => kinds[rng.int(kinds.length)](side, rng.split('part'));
