import { expect, it } from 'vitest';
import { servedName } from './serving.ts';

it('names a detector so that its address is plain: accents go, other signs become hyphens', () => {
  expect(servedName('Prüfung Süd 1', 'dfm-2')).toBe('Prufung-Sud-1-dfm-2');
  expect(servedName('a/b', 'trials/pca')).toBe('a-b-trials-pca');
});
