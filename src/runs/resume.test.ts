import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { float32 } from '../core/tensor.ts';
import { findModel } from '../models/index.ts';
import { writeCheckpoint } from './checkpoint.ts';
import type { RunFolder } from './folder.ts';
import { stateToResume } from './resume.ts';

it('does not go on with a run whose backbone was another network under the same name', async () => {
  const path = mkdtempSync(join(tmpdir(), 'oddity-resume-'));
  try {
    const files = { checkpoint: join(path, 'checkpoint.safetensors') };
    const origin = { model: findModel('knn'), config: {}, shape: [2], seed: 1, dataHash: 'a', splitHash: 'b' } as const;
    const tensors = { 'backbone.stage1.down.weight': float32([1]), 'student.weight': float32([2]) };
    await writeCheckpoint(files.checkpoint, origin, { phase: 0, iteration: 3, tensors, history: [], sums: [] });
    const resumed = (names: readonly string[]) =>
      stateToResume(
        { path, files } as unknown as RunFolder,
        origin,
        Object.fromEntries(names.map((name) => [name, float32([0])])),
        () => {},
      );
    expect(await resumed(['backbone.stage1.down.weight'])).toMatchObject({ iteration: 3 });
    await expect(resumed(['backbone.fire3.squeeze.weight'])).rejects.toMatchObject({
      code: 'checkpoint-mismatch',
      message: expect.stringContaining('it has no backbone.fire3.squeeze.weight. Train again in another folder'),
    });
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
});
