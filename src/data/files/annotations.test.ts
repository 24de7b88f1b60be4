/** Regions of annotation tools as masks, from their values to folders. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Annotation, drawAnnotation, readCoco, readLabelMe, readYolo } from '../formats/annotations.ts';
import { encodePng } from '../formats/png.ts';
import { folderSource } from './folder.ts';
import { inspect } from './inspect/index.ts';
import { readLayout } from './layout.ts';

const base = mkdtempSync(join(tmpdir(), 'oddity-annotations-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const size = { height: 6, width: 8 };
/** Rows of `#` and `.`. */
function drawn(annotation: Annotation | undefined): string[] {
  const { data, height, width } = drawAnnotation(annotation!, 'x', size);
  return Array.from({ length: height }, (_, y) =>
    Array.from(data.subarray(y * width, (y + 1) * width), (v) => (v ? '#' : '.')).join(''),
  );
}
const labelMe = (...shapes: object[]) => ({
  version: '5.0',
  shapes,
  imageHeight: 6,
  imageWidth: 8,
  imagePath: 'x.jpg',
});
const coco = (annotation: object) => ({
  images: [{ id: 7, file_name: 'x.png', height: 6, width: 8 }],
  annotations: [{ id: 1, image_id: 7, category_id: 1, ...annotation }],
});
const box = ['........', '.###....', '.###....', '........', '........', '........'];

describe('drawing', () => {
  it.each<[string, () => Annotation | undefined, string[]]>([
    [
      'a LabelMe rectangle',
      () =>
        readLabelMe(
          labelMe({
            shape_type: 'rectangle',
            points: [
              [4, 3],
              [1, 1],
            ],
          }),
          'x',
        ),
      box,
    ],
    [
      'a LabelMe polygon',
      () =>
        readLabelMe(
          labelMe({
            points: [
              [1, 1],
              [4, 1],
              [4, 3],
              [1, 3],
            ],
          }),
          'x',
        ),
      box,
    ],
    [
      'a LabelMe triangle',
      () =>
        readLabelMe(
          labelMe({
            shape_type: 'polygon',
            points: [
              [0, 0],
              [8, 0],
              [0, 6],
            ],
          }),
          'x',
        ),
      ['#######.', '######..', '#####...', '###.....', '##......', '#.......'],
    ],
    [
      'a LabelMe circle',
      () =>
        readLabelMe(
          labelMe({
            shape_type: 'circle',
            points: [
              [4, 3],
              [4, 1],
            ],
          }),
          'x',
        ),
      ['........', '...##...', '..####..', '..####..', '...##...', '........'],
    ],
    [
      'a LabelMe line and a point',
      () =>
        readLabelMe(
          labelMe(
            {
              shape_type: 'line',
              points: [
                [1, 1.5],
                [4, 1.5],
              ],
            },
            { shape_type: 'point', points: [[7.2, 5.9]] },
          ),
          'x',
        ),
      ['........', '.####...', '........', '........', '........', '.......#'],
    ],
    [
      'a region thinner than a pixel',
      () =>
        readLabelMe(
          labelMe({
            points: [
              [2.1, 2.1],
              [2.2, 2.1],
              [2.2, 2.2],
            ],
          }),
          'x',
        ),
      ['........', '........', '..#.....', '........', '........', '........'],
    ],
    ['a COCO box', () => readCoco(coco({ bbox: [1, 1, 3, 2] }), 'x')?.[0].annotation, box],
    ['a COCO polygon', () => readCoco(coco({ segmentation: [[1, 1, 4, 1, 4, 3, 1, 3]] }), 'x')?.[0].annotation, box],
    [
      'COCO runs',
      () => readCoco(coco({ segmentation: { size: [6, 8], counts: [7, 2, 4, 2, 4, 2, 27] } }), 'x')?.[0].annotation,
      box,
    ],
    // As pycocotools packs the runs above.
    [
      'COCO runs as text',
      () => readCoco(coco({ segmentation: { size: [6, 8], counts: '724000g0' } }), 'x')?.[0].annotation,
      box,
    ],
    ['a YOLO box', () => readYolo('0 0.3125 0.33333333 0.375 0.33333333\n'), box],
    ['a YOLO polygon', () => readYolo('3 0.125 0.1667 0.5 0.1667 0.5 0.5 0.125 0.5'), box],
  ])('%s', (_, read, rows) => expect(drawn(read())).toEqual(rows));

  it.each<[string, () => unknown, string]>([
    [
      'a shape that is not read',
      () => readLabelMe(labelMe({ shape_type: 'mask', points: [[1, 1]] }), 'a.json'),
      'a.json must hold regions as polygons, boxes, circles, lines or runs, but shape 1 is a mask, which is not read.',
    ],
    [
      'points that are none',
      () => readLabelMe(labelMe({ points: [[1, 'x']] }), 'a.json'),
      'whose points are no pairs of numbers',
    ],
    [
      'a COCO polygon of odd length',
      () => readCoco(coco({ segmentation: [[1, 2, 3]] }), 'a.json'),
      'annotation 1 of x.png has no pairs of numbers',
    ],
    [
      'runs of another image',
      () => drawAnnotation(readCoco(coco({ segmentation: { counts: [7, 2] } }), 'x')![0].annotation, 'a.json'),
      'its runs hold 9 pixels of an image of 6x8',
    ],
    [
      'an image without a name',
      () => readCoco({ images: [{ id: 1 }], annotations: [] }, 'a.json'),
      'image 1 has no file_name',
    ],
    ['no size', () => drawAnnotation(readYolo('0 .5 .5 .1 .1')!, 'a.txt'), 'it has no size of its image'],
  ])('%s is refused', (_, read, words) => expect(read).toThrow(words));

  it('other files are none', () => {
    for (const text of ['hello', '0 1 2', '0 5 5 9 9', '0.5 0.1 0.1 0.1 0.1']) expect(readYolo(text)).toBe(undefined);
    expect([
      readLabelMe({ a: 1 }, 'x'),
      readLabelMe(null, 'x'),
      readCoco([], 'x'),
      readCoco({ images: 1 }, 'x'),
    ]).toEqual(new Array(4).fill(undefined));
  });
});

describe('in a folder', () => {
  let made = 0;
  const picture = (value: number) => encodePng({ ...size, channels: 1, data: new Uint8Array(48).fill(value) });
  function folder(files: Readonly<Record<string, Uint8Array | string | object>>): string {
    const root = join(base, String(made++));
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      const isPlain = typeof content === 'string' || content instanceof Uint8Array;
      writeFileSync(join(root, path), isPlain ? content : JSON.stringify(content));
    }
    return root;
  }
  const images = { 'good/1.png': picture(1), 'crack/2.png': picture(2), 'crack/3.png': picture(3) };
  const rectangle = labelMe({
    shape_type: 'rectangle',
    points: [
      [1, 1],
      [4, 3],
    ],
  });

  it.each([
    ['LabelMe', { 'crack/2.json': rectangle, 'good/1.json': labelMe() }],
    [
      'COCO',
      {
        'annotations.json': {
          images: [{ id: 1, file_name: 'crack/2.png', height: 6, width: 8 }],
          annotations: [{ id: 1, image_id: 1, bbox: [1, 1, 3, 2] }],
        },
      },
    ],
    ['COCO', { 'crack/_annotations.coco.json': coco({ bbox: [1, 1, 3, 2] }), 'crack/x.png': picture(9) }],
    ['YOLO', { 'crack/2.txt': '0 0.3125 0.3333333 0.375 0.3333333', 'good/1.txt': '' }],
  ])('%s boxes are masks, and it is said that they are boxes', async (tool, files) => {
    const root = folder({ ...images, ...files });
    const layout = await readLayout(root);
    expect(layout.explanation).toContain(
      `1 mask; 1 mask is drawn from boxes of ${tool}, which mark more than the defect.`,
    );
    expect(layout.warnings).toEqual([]);
    const source = await folderSource({ layout, size: [6, 8] });
    const at = source.items.findIndex((_, i) => source.hasMask?.(i) && source.items[i].class > 0);
    const mask = new Uint8Array(48);
    await source.readMasks?.([at], mask);
    expect([...mask].join('')).toBe(box.join('').replaceAll('#', '1').replaceAll('.', '0'));
    await source.close?.();
    const found = await inspect({ path: root });
    expect(found.masks).toBe(1);
    expect(found.findings.filter(({ check }) => /mask|file/.test(check)).map(({ check }) => check)).not.toContain(
      'unreadable-file',
    );
  });

  it('labels lie in a folder of their own', async () => {
    const files = {
      'test/crack/images/2.png': picture(2),
      'test/crack/labels/2.txt': '0 .5 .5 .5 .5',
      'train/good/1.png': picture(1),
    };
    expect((await readLayout(folder(files))).items.map(({ mask }) => mask !== undefined)).toEqual([true, false]);
  });

  it('on normal images is asked about', async () => {
    const root = folder({ ...images, 'good/1.json': rectangle });
    await expect(readLayout(root)).rejects.toMatchObject({
      code: 'annotated-normal',
      message: expect.stringContaining(
        '1 image among the normal ones has marked regions (good/1.png). Are they anomalies?',
      ),
    });
  });

  it('other text and JSON stays what it was', async () => {
    const root = folder({ ...images, 'crack/2.txt': 'seen by Ann', 'crack/3.json': { note: 1 }, 'broken.json': '{' });
    expect((await readLayout(root)).warnings).toEqual([
      expect.objectContaining({ code: 'not-images', paths: ['broken.json', 'crack/2.txt', 'crack/3.json'] }),
    ]);
  });
});
