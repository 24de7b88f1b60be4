import { describe, expect, it } from 'vitest';
import { findModel } from '../../models/index.ts';
import { foldsFor } from './folds.ts';

const of = (name: string, counts: Parameters<typeof foldsFor>[2]) => {
  const model = findModel(name);
  return foldsFor(model, model.config.parse({}), counts);
};

describe('foldsFor', () => {
  it('leaves each normal out alone where there are few, and makes ten folds of more', () => {
    expect([8, 9, 10, 11, 400].map((normals) => of('knn', { normals, heldOut: 1 }))).toEqual([8, 9, 10, 10, 10]);
  });

  it('makes none where enough are held out, none are to be, too few are left, or training is long', () => {
    expect(of('knn', { normals: 450, heldOut: 50 })).toBe(0);
    expect(of('knn', { normals: 450, heldOut: 0 })).toBe(0);
    expect(of('knn', { normals: 7, heldOut: 1 })).toBe(0);
    expect(of('autoencoder', { normals: 20, heldOut: 2 })).toBe(0);
    expect(of('isolation-forest', { normals: 200, heldOut: 20 })).toBe(0);
  });

  it('makes fewer folds the more images must pass a backbone', () => {
    expect([30, 60, 120, 270, 400].map((normals) => of('patchcore', { normals, heldOut: 10 }))).toEqual([
      10, 10, 6, 3, 0,
    ]);
  });

  it('obeys what is asked for', () => {
    expect(of('knn', { normals: 450, heldOut: 45, wanted: 0 })).toBe(0);
    expect(of('knn', { normals: 450, heldOut: 99, wanted: 5 })).toBe(5);
    expect(of('autoencoder', { normals: 20, heldOut: 2, wanted: 4 })).toBe(4);
    expect(of('knn', { normals: 6, heldOut: 1, wanted: 20 })).toBe(6);
  });
});
