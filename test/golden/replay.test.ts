/** The graphs of every tiny model are those of the table: a change of one is meant, and its commit says why. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { differences, replay, tablePath } from '../../scripts/replay.mjs';

it('gives the same ONNX bytes for every model', async () => {
  const table = await replay();
  if (process.env.ODDITY_GOLDEN === '1') writeFileSync(tablePath, table);
  expect(differences(readFileSync(tablePath, 'utf8'), table)).toEqual([]);
  expect(table.split('\n').length).toBeGreaterThan(150);
}, 300_000);
