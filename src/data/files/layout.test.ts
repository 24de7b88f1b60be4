/** Layouts of folders and of CSV files, on files without content: only names are read. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { naturalOrder } from './file-list.ts';
import { type Layout, readLayout } from './layout.ts';

let base: string;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'oddity-layout-'));
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

let made = 0;
/** A new folder with empty files at `paths`. */
function folder(...paths: string[]): string {
  const root = join(base, String(made++));
  mkdirSync(root);
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), '');
  }
  return root;
}

/** Items in short: `test/scratch/1.png test scratch [ground_truth/…]`. */
const short = ({ root, items }: Layout) =>
  items.map(({ id, part, label, type, mask }) =>
    [id, part ?? '-', label === 'normal' ? 'good' : type, ...(mask ? [mask.slice(root.length + 1)] : [])].join(' '),
  );
const codes = ({ warnings }: Layout) => warnings.map(({ code, paths }) => `${code}: ${paths.join(' ')}`);

describe('folders of parts', () => {
  it('reads MVTec', async () => {
    const root = folder(
      'train/good/1.png',
      'train/good/10.png',
      'train/good/2.png',
      'test/good/1.png',
      'test/scratch/1.png',
      'test/scratch/2.png',
      'ground_truth/scratch/1_mask.png',
      'ground_truth/scratch/2_mask.png',
    );
    const layout = await readLayout(root);
    expect(layout.kind).toBe('mvtec');
    expect(short(layout)).toEqual([
      'test/good/1.png test good',
      'test/scratch/1.png test scratch ground_truth/scratch/1_mask.png',
      'test/scratch/2.png test scratch ground_truth/scratch/2_mask.png',
      'train/good/1.png train good',
      'train/good/2.png train good',
      'train/good/10.png train good',
    ]);
    expect(layout.explanation).toBe(
      'Folders of parts (MVTec): 6 images; train: 3 normal; test: 1 normal and 2 anomalous (scratch 2); 2 masks.',
    );
    expect(layout.warnings).toEqual([]);
  });

  it('reads other names of parts, a validation part, anomalies to train on and masks in the test part', async () => {
    const layout = await readLayout(
      folder(
        'Training/OK/a.bmp',
        'training/nok/b.bmp',
        'validation/good/c.png',
        'test_public/bad/d.png',
        'test_public/good/e.png',
        'test_public/ground_truth/bad/d_mask.png',
      ),
    );
    expect(short(layout)).toEqual([
      'Training/OK/a.bmp train good',
      'test_public/bad/d.png test bad test_public/ground_truth/bad/d_mask.png',
      'test_public/good/e.png test good',
      'training/nok/b.bmp train nok',
      'validation/good/c.png validation good',
    ]);
  });

  it('takes images directly in train as normal, and leaves out what lies directly in test', async () => {
    const layout = await readLayout(folder('train/a.png', 'test/ng/b.png', 'test/c.png'));
    expect(short(layout)).toEqual(['test/ng/b.png test ng', 'train/a.png train good']);
    expect(codes(layout)).toEqual(['unused-images: test/c.png']);
  });
});

describe('folders by label', () => {
  it('reads normal, abnormal and mask', async () => {
    const layout = await readLayout(
      folder('normal/1.jpg', 'abnormal/2.jpg', 'abnormal/dent/1.jpg', 'mask/2.png', 'mask/dent/1.png'),
    );
    expect(layout.kind).toBe('folders');
    expect(short(layout)).toEqual([
      'abnormal/2.jpg - abnormal mask/2.png',
      'abnormal/dent/1.jpg - dent mask/dent/1.png',
      'normal/1.jpg - good',
    ]);
    expect(layout.explanation).toBe(
      'Folders by label: 3 images; not split: 1 normal and 2 anomalous (abnormal 1, dent 1); 2 masks.',
    );
  });

  it('takes every folder beside the normal one as a defect, unless told which are', async () => {
    const root = folder('ok/1.png', 'rost/1.png', 'Kratzer tief/1.png', 'archiv/1.png');
    expect(short(await readLayout(root))).toEqual([
      'Kratzer tief/1.png - Kratzer tief',
      'archiv/1.png - archiv',
      'ok/1.png - good',
      'rost/1.png - rost',
    ]);
    const told = await readLayout(root, { abnormal: ['rost', 'Kratzer tief'] });
    expect(told.items.map((item) => item.type)).toEqual(['Kratzer tief', 'good', 'rost']);
    expect(codes(told)).toEqual(['unused-images: archiv/1.png']);
  });

  it('takes names that are given, and offers the nearest when there is none', async () => {
    const root = folder('gut/1.png', 'schlecht/1.png', 'flecken/1.png');
    const options = { normal: 'gut', abnormal: 'schlecht', mask: 'flecken' };
    expect(short(await readLayout(root, options))).toEqual([
      'gut/1.png - good',
      'schlecht/1.png - schlecht flecken/1.png',
    ]);
    await expect(readLayout(root, { normal: 'gutt' })).rejects.toMatchObject({
      code: 'layout-name',
      message: expect.stringContaining('Did you mean "gut"?'),
    });
    const parts = await readLayout(folder('train/1.png', 'test/1.png'), { normal: 'train', abnormal: 'test' });
    expect(short(parts)).toEqual(['test/1.png - test', 'train/1.png - good']);
  });

  it('reads normal images alone, in a folder or not', async () => {
    const [below, flat] = [await readLayout(folder('good/1.png')), await readLayout(folder('2.png', '1.png'))];
    expect([below.kind, short(below)]).toEqual(['good', ['good/1.png - good']]);
    expect([flat.kind, short(flat)]).toEqual(['good', ['1.png - good', '2.png - good']]);
  });
});

describe('masks', () => {
  it('beside their images, and in one folder for all types', async () => {
    const layout = await readLayout(
      folder('good/1.png', 'good/2.png', 'bad/1.png', 'bad/1_mask.png', 'bad/2.png', 'mask/2.png'),
    );
    // mask/2.png fits good/2.png too: it is the anomaly's.
    expect(short(layout)).toEqual([
      'bad/1.png - bad bad/1_mask.png',
      'bad/2.png - bad mask/2.png',
      'good/1.png - good',
      'good/2.png - good',
    ]);
  });

  it('that fit several images, none, or an image that has one, are not used', async () => {
    const root = folder('good/9.png', 'dent/1.png', 'dent/2.png', 'rust/1.png');
    for (const name of ['gt/1.png', 'gt/7.png', 'gt/dent/2.png', 'gt/dent/2_mask.png']) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), '');
    }
    const layout = await readLayout(root);
    expect(layout.items.filter((item) => item.mask).map((item) => item.id)).toEqual(['dent/2.png']);
    expect(codes(layout)).toEqual([
      'mask-without-image: gt/7.png',
      'mask-doubtful: gt/1.png',
      'mask-twice: gt/dent/2_mask.png',
    ]);
  });
});

describe('files', () => {
  it('are in natural order, hidden ones are ignored, others listed, any letters read', async () => {
    const layout = await readLayout(
      folder('good/bild 10.png', 'good/bild 9.png', 'good/ü 图.png', 'good/.x.png', '.git/a.png', 'notes.txt'),
    );
    expect(layout.items.map((item) => item.id)).toEqual(['good/bild 9.png', 'good/bild 10.png', 'good/ü 图.png']);
    expect(codes(layout)).toEqual(['not-images: notes.txt']);
  });

  it('natural order is total', () => {
    const sorted = ['1', '01', 'a', 'a1', 'a2', 'a10', 'a10b', 'b', 'ä'];
    expect([...sorted].reverse().sort(naturalOrder)).toEqual(['01', ...sorted.filter((s) => s !== '01')]);
    expect(naturalOrder('7', '7')).toBe(0);
  });

  it('links are followed inside the folder only', async () => {
    const outside = folder('x.png');
    const root = folder('good/1.png');
    symlinkSync(join(outside, 'x.png'), join(root, 'good', '2.png'));
    symlinkSync(outside, join(root, 'bad'));
    symlinkSync('1.png', join(root, 'good', '3.png'));
    symlinkSync('..', join(root, 'good', 'up'));
    symlinkSync('nothing', join(root, 'good', '4.png'));
    const layout = await readLayout(root);
    expect(layout.items.map((item) => item.id)).toEqual(['good/1.png', 'good/3.png']);
    expect(codes(layout)).toEqual(['link-outside: bad good/2.png', 'link-loop: good/up', 'link-broken: good/4.png']);
    const linked = join(base, 'linked');
    symlinkSync(root, linked);
    expect((await readLayout(linked)).items[0].path).toBe(join(linked, 'good', '1.png'));
  });
});

describe('what is no layout', () => {
  it.each([
    [[], 'no-images', 'must hold images'],
    [['a.txt'], 'no-images', 'has none among 1 file'],
    [['scratch/1.png', 'dent/1.png'], 'layout', 'found images in: dent 1, scratch 1'],
    [['ground_truth/1.png'], 'layout', 'folders of masks only'],
    [['bottle/train/good/1.png', 'cable/train/good/1.png'], 'several-data-sets', '(bottle, cable)'],
    [['bottle/good/1.png', 'bottle/bad/1.png'], 'several-data-sets', 'is not a data set; its folder bottle is one'],
  ])('%j', async (paths, code, words) => {
    const failed = readLayout(folder(...paths));
    await expect(failed).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
  });

  it.skipIf(process.platform === 'win32')('a folder below it that may not be read', async () => {
    const root = folder('good/1.png', 'bad/1.png');
    chmodSync(join(root, 'bad'), 0);
    chmodSync(base, 0o755);
    // The superuser may read everything: another user looks.
    const isSuper = process.getuid?.() === 0;
    if (isSuper) process.seteuid?.(65534);
    const failed = await readLayout(root).catch((error) => error);
    if (isSuper) process.seteuid?.(0);
    chmodSync(join(root, 'bad'), 0o755);
    expect([failed.code, failed.message]).toEqual([
      'unreadable-folder',
      `The folder ${join(root, 'bad')} cannot be read (EACCES). Change its permissions, or move it elsewhere.`,
    ]);
  });

  it('a path that is not there, or no folder', async () => {
    await expect(readLayout(join(base, 'nowhere'))).rejects.toMatchObject({ code: 'no-data' });
    await expect(readLayout(join(folder('a.png'), 'a.png'))).rejects.toMatchObject({ code: 'layout' });
  });
});

describe('CSV', () => {
  /** A folder with a few images and the file `list.csv`. */
  function table(text: string | Uint8Array): string {
    const root = folder('images/a 1.png', 'images/ü.png', 'images/c.png', 'masks/c.png');
    writeFileSync(join(root, 'list.csv'), text);
    return join(root, 'list.csv');
  }

  it('reads labels, parts, types and masks', async () => {
    const layout = await readLayout(
      table(
        'image_path,label_index,split,type,mask_path\nimages/ü.png,0,train,,\r\n' +
          '"images/a 1.png",0,val,good,\n\nimages/c.png,1,test,scratch,masks/c.png\n',
      ),
    );
    expect(layout.kind).toBe('csv');
    expect(short(layout)).toEqual([
      'images/a 1.png validation good',
      'images/c.png test scratch masks/c.png',
      'images/ü.png train good',
    ]);
    expect(layout.explanation).toBe(
      'CSV file list.csv: 3 images; train: 1 normal; validation: 1 normal; test: 1 anomalous (scratch 1); 1 mask.',
    );
  });

  it('reads semicolons, a byte order mark, words as labels, and paths alone', async () => {
    const words = await readLayout(table('\ufeffpath;label\nimages/ü.png;OK\nimages/c.png;Kratzer\n'));
    expect(short(words)).toEqual(['images/c.png - Kratzer', 'images/ü.png - good']);
    const alone = await readLayout(table('file\nimages/c.png\n'));
    expect(short(alone)).toEqual(['images/c.png - good']);
    expect(alone.explanation).toContain('no label column, all normal');
  });

  it('names the line of every bad row', async () => {
    const path = table(
      'path,label,split,type,mask\nimages/ü.png,2,,,\n\nimages/c.png,0,later,rust,\nimages/c.png,0,,,\n' +
        'images/nowhere.png,1,,,masks/no.png\nimages/a 1.png,1\n,1,,,\n',
    );
    const error = await readLayout(path).catch((e) => e);
    expect(error.code).toBe('csv-rows');
    expect(error.message).toContain('line 2: the label "2" must be');
    expect(error.message).toContain('line 4: the label "0" and the type "rust" contradict each other');
    expect(error.message).toContain('line 4: the split "later" must be train');
    expect(error.message).toContain('line 5: the image of line 4 again');
    expect(error.message).toContain('line 6: the image images/nowhere.png does not exist');
    expect(error.message).toContain('line 6: the mask masks/no.png does not exist');
    expect(error.message).toContain('line 7: 2 fields instead of 5');
    expect(error.message).toContain('line 8: no path');
  });

  it.each([
    ['', 'csv', 'is empty'],
    ['path\n', 'no-images', 'has a header but no rows'],
    ['size,label\n', 'no-images', 'a header but no rows'],
    ['name,label\nx,1\n', 'csv', 'its header is: name, label'],
    ['path,label\n"images/c.png,1\n', 'csv', 'line'],
    [Uint8Array.of(112, 255, 10), 'csv', 'UTF-8'],
  ])('%j is refused', async (text, code, words) => {
    const failed = readLayout(table(text));
    await expect(failed).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
  });
});

describe('real sets', () => {
  const industrial = join(process.env.ODDITY_DATA ?? '', 'industrial');
  const here = process.env.ODDITY_DATA !== undefined && existsSync(industrial);

  it.skipIf(!here)('magnetic_tile and deeppcb_20085 (skipped where ODDITY_DATA has no folder industrial)', async () => {
    expect((await readLayout(join(industrial, 'magnetic_tile'))).explanation).toBe(
      'Folders of parts (MVTec): 510 images; train: 240 normal; ' +
        'test: 80 normal and 190 anomalous (blowhole 40, break 40, crack 40, fray 32, uneven 38); 190 masks.',
    );
    expect((await readLayout(join(industrial, 'deeppcb_20085'))).explanation).toBe(
      'Folders of parts (MVTec): 220 images; train: 120 normal; test: 40 normal and 60 anomalous (defect 60); 60 masks.',
    );
  });
});
