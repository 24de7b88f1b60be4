import { describe, expect, it } from 'vitest';
import { partsOfName } from './uploads.ts';

describe('names of files that a stranger sends', () => {
  it('keep their folders', () => {
    expect(partsOfName('set/train/good/Schraube 1 (ä).png')).toEqual(['set', 'train', 'good', 'Schraube 1 (ä).png']);
  });

  it.each([
    ...['', '/', 'a/', '/etc/passwd', '..', 'a/../b', 'a/./b', '.hidden', 'a/.git/config', 'a\\b', 'C:/x', 'a:b', 'a*'],
    ...[
      'con',
      'NUL.png',
      'lpt1.txt',
      'ends.',
      'ends ',
      'a\u0000b',
      'line\nend',
      'x'.repeat(201),
      `${'a/'.repeat(12)}b`,
    ],
  ])('%j is refused', (name) => {
    expect(() => partsOfName(name)).toThrow('The name of a file must');
  });
});
