/** Commands that are killed at random moments: a short, seeded part of what `npm run soak` does. */
import { expect, it } from 'vitest';
import { soak } from '../../scripts/soak.mjs';

it('leaves whole files, and the same bytes when the command is run again', { timeout: 240_000 }, async () => {
  expect(await soak({ kills: 1, seed: 7 })).toEqual([]);
});
