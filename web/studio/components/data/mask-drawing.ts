/** Strokes over an image, and the mask that they make: kept as what was drawn, so that each can be taken back. */

export type Stroke =
  | { readonly kind: 'brush'; readonly points: readonly Point[]; readonly size: number; readonly isErasing: boolean }
  | { readonly kind: 'polygon'; readonly points: readonly Point[]; readonly isErasing: boolean };

/** In pixels of the image, from the top left. */
export type Point = readonly [x: number, y: number];

/** The corners of a rectangle. */
export const rectangle = (x: number, y: number, width: number, height: number): readonly Point[] => [
  [x, y],
  [x + width, y],
  [x + width, y + height],
  [x, y + height],
];

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Draws a mask in one colour: what was there before, and the strokes over it. */
export function drawMask(
  context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D,
  { width, height }: Size,
  { before, strokes, colour }: { before?: CanvasImageSource; strokes: readonly Stroke[]; colour: string },
): void {
  context.globalCompositeOperation = 'source-over';
  context.clearRect(0, 0, width, height);
  if (before) context.drawImage(before, 0, 0, width, height);
  context.lineCap = 'round';
  context.lineJoin = 'round';
  context.fillStyle = colour;
  context.strokeStyle = colour;
  for (const stroke of strokes) {
    context.globalCompositeOperation = stroke.isErasing ? 'destination-out' : 'source-over';
    context.beginPath();
    for (const [i, [x, y]] of stroke.points.entries()) {
      if (i === 0) context.moveTo(x, y);
      else context.lineTo(x, y);
    }
    if (stroke.kind === 'polygon') {
      context.closePath();
      context.fill();
      continue;
    }
    const [[x, y]] = stroke.points;
    context.lineTo(x, y + (stroke.points.length === 1 ? 0.01 : 0)); // a point alone would draw nothing
    if (stroke.points.length > 1) {
      context.beginPath();
      for (const [px, py] of stroke.points) context.lineTo(px, py);
    }
    context.lineWidth = stroke.size;
    context.stroke();
  }
  context.globalCompositeOperation = 'source-over';
}

/** A mask that came as grey PNG, in one colour on nothing. */
export async function colouredMask(
  bytes: ArrayBuffer,
  colour: readonly [number, number, number],
): Promise<OffscreenCanvas> {
  const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext('2d')!;
  context.drawImage(bitmap, 0, 0);
  const pixels = context.getImageData(0, 0, bitmap.width, bitmap.height);
  for (let i = 0; i < pixels.data.length; i += 4) {
    const isMarked = pixels.data[i] > 127;
    pixels.data.set([...colour, isMarked ? 255 : 0], i);
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}

/** The drawing as a mask of whole pixels: white where at least half of one is covered; and the share of white ones. */
export async function maskFile(
  size: Size,
  drawing: { before?: CanvasImageSource; strokes: readonly Stroke[] },
): Promise<{ readonly file: Blob; readonly share: number }> {
  const canvas = new OffscreenCanvas(size.width, size.height);
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  drawMask(context, size, { ...drawing, colour: '#fff' });
  const pixels = context.getImageData(0, 0, size.width, size.height);
  let marked = 0;
  for (let i = 0; i < pixels.data.length; i += 4) {
    const isMarked = pixels.data[i + 3] > 127;
    if (isMarked) marked++;
    pixels.data.set(isMarked ? [255, 255, 255, 255] : [0, 0, 0, 255], i);
  }
  context.putImageData(pixels, 0, 0);
  return { file: await canvas.convertToBlob({ type: 'image/png' }), share: marked / (size.width * size.height) };
}
