/** Examples made by rule: tiles with planted defects, rows of a machine, readings of a sensor. The same every time. */

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** About normal, mean 0 and deviation 1. */
const bell = (random: () => number) => (random() + random() + random() + random() - 2) * 1.73;

const SIDE = 192;

type Defect = 'crack' | 'stain' | 'chip';

/** Four glazed tiles with joints; a defect lies on one of them. */
function drawTile(seed: number, defect?: Defect): OffscreenCanvas {
  const random = randomOf(seed);
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  const context = canvas.getContext('2d')!;
  const shift = [4 * (random() - 0.5), 4 * (random() - 0.5)];
  context.fillStyle = '#8d8f8c';
  context.fillRect(0, 0, SIDE, SIDE);
  const half = SIDE / 2;
  for (const [x, y] of [
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ]) {
    const tint = 4 * (random() - 0.5);
    context.fillStyle = `rgb(${92 + tint} ${132 + tint} ${150 + tint})`;
    context.fillRect(x * half + 3 + shift[0], y * half + 3 + shift[1], half - 6, half - 6);
  }
  if (defect) drawDefect(context, defect, random);
  const pixels = context.getImageData(0, 0, SIDE, SIDE);
  for (let i = 0; i < pixels.data.length; i += 4) {
    const grain = 5 * bell(random);
    for (let c = 0; c < 3; c++) pixels.data[i + c] += grain;
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}

function drawDefect(context: OffscreenCanvasRenderingContext2D, defect: Defect, random: () => number): void {
  const [x, y] = [SIDE * (0.2 + 0.5 * random()), SIDE * (0.2 + 0.5 * random())];
  if (defect === 'crack') {
    context.strokeStyle = '#2c3a40';
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(x, y);
    for (let step = 1; step < 8; step++) context.lineTo(x + 7 * step, y + 18 * (random() - 0.4));
    context.stroke();
  } else if (defect === 'stain') {
    context.fillStyle = 'rgb(150 110 60 / 60%)';
    context.beginPath();
    context.ellipse(x, y, 18, 12, 3 * random(), 0, 7);
    context.fill();
  } else {
    context.fillStyle = '#d8d4c8';
    context.beginPath();
    context.moveTo(x, y);
    for (const [dx, dy] of [
      [20, 4],
      [16, 20],
      [2, 14],
    ])
      context.lineTo(x + dx, y + dy);
    context.fill();
  }
}

async function tileFile(name: string, seed: number, defect?: Defect): Promise<File> {
  return new File([await drawTile(seed, defect).convertToBlob()], name, { type: 'image/png' });
}

/** Good tiles to learn from. */
export const goodTiles = (count = 20): Promise<File[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => tileFile(`good-${i + 1}.png`, i + 1)));

/** Tiles to score: three good ones, and two of each defect. */
export const otherTiles = (): Promise<File[]> =>
  Promise.all(
    [undefined, undefined, undefined, 'crack', 'stain', 'chip', 'crack', 'stain', 'chip'].map((defect, i) =>
      tileFile(`${defect ?? 'good'}-${i + 101}.png`, 1000 + i, defect as Defect | undefined),
    ),
  );

const round = (value: number) => Math.round(100 * value) / 100;

/** Rows of a pump, as CSV: load, temperature, pressure and vibration go together; some rows do not where `withFaults`. */
export function pumpRows(count: number, withFaults: boolean): File {
  const random = randomOf(withFaults ? 7 : 3);
  const lines = Array.from({ length: count }, (_, i) => {
    const load = 50 + 12 * bell(random);
    const mode = random() < 0.7 ? 'normal flow' : 'low flow';
    const fault = withFaults && i % 12 === 7;
    const temperature = 30 + 0.4 * load + bell(random) + (fault ? 14 : 0);
    const pressure = 2 + 0.05 * load + 0.1 * bell(random) - (fault && i % 24 === 7 ? 1.5 : 0);
    const vibration = 1 + 0.01 * load + 0.05 * bell(random);
    return [round(load), round(temperature), round(pressure), round(vibration), mode].join();
  });
  const text = `load,temperature,pressure,vibration,mode\n${lines.join('\n')}\n`;
  return new File([text], withFaults ? 'pump-to-score.csv' : 'pump-good.csv', { type: 'text/csv' });
}

/** A sensor with a daily round, a reading each half hour; a spike, a shift and a day that is left out where `withFaults`. */
export function sensorReadings(days: number, withFaults: boolean): File {
  const random = randomOf(withFaults ? 11 : 5);
  const lines = Array.from({ length: 48 * days }, (_, t) => {
    const day = t / 48;
    const isOut = withFaults && day >= 8 && day < 9;
    const shift = withFaults && day >= 4.5 && day < 5.1 ? 3 : 0;
    const spike = withFaults && t >= 110 && t < 113 ? 7 : 0;
    const wave = isOut ? 0 : 4 * Math.sin(2 * Math.PI * day) + Math.sin(4 * Math.PI * day);
    const time = new Date(Date.UTC(2026, withFaults ? 2 : 0, 1) + 1_800_000 * t).toISOString().slice(0, 16);
    return `${time},${round(18 + wave + shift + spike + 0.3 * bell(random))},${round(55 - 2 * wave + 0.8 * bell(random))}`;
  });
  const text = `time,temperature,humidity\n${lines.join('\n')}\n`;
  return new File([text], withFaults ? 'sensor-to-score.csv' : 'sensor-good.csv', { type: 'text/csv' });
}
