/** The backbone in the box was learnt from files that no bench judges by: compared by their hashes. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const here = dirname(fileURLToPath(import.meta.url));
const root = process.env.ODDITY_DATA;
/** Folders of the sets of images that benches judge by. */
const judged = ['industrial', 'cloud', 'mnist', 'cifar10', 'fashion-mnist'];

const [header, ...lines] = readFileSync(join(here, '..', 'scripts', 'distil', 'data.csv'), 'utf8')
  .trim()
  .split('\n');
const listed = lines.map((line) => line.split(','));

function filesOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

describe('what the backbone in the box was learnt from', () => {
  it('is listed file by file, each once, with a licence that allows it', () => {
    expect(header).toBe('sha256,package,file,licence');
    expect(new Set(listed.map(([hash]) => hash)).size).toBe(listed.length);
    const allowed = /^(CC0-1\.0|CC-BY-[234]\.0|CC-BY-SA-[34]\.0|public-domain|Apache-2\.0|MIT|BSD-3-Clause)$/;
    for (const [hash, , file, licence, ...more] of listed) {
      expect(hash, file).toMatch(/^[0-9a-f]{64}$/);
      expect(licence, file).toMatch(allowed);
      expect(more, file).toEqual([]);
    }
  });

  it('has a package and a licence for each in weights/README.md', () => {
    const text = readFileSync(join(here, '..', 'weights', 'README.md'), 'utf8');
    for (const [, name, file, licence] of listed) {
      if (name !== 'data') expect(text, file).toContain(`\`${name}\``);
      expect(text, file).toContain(licence === 'public-domain' ? 'public domain' : licence);
    }
  });

  const there = judged.filter((name) => root && existsSync(join(root, name)));
  const missing = there.length > 0 ? '' : `: skipped, ODDITY_DATA names no folder with ${judged.join(', ')}`;
  it.skipIf(missing)(`is no file of a set that is judged${missing}`, () => {
    const hashes = new Map(listed.map(([hash, , file]) => [hash, file]));
    const both = there
      .flatMap((name) => filesOf(join(root!, name)))
      .filter((path) => hashes.has(createHash('sha256').update(readFileSync(path)).digest('hex')));
    expect(both).toEqual([]);
  });
});
