/** Of a list at most so many, at even distances, in their order: all of it is met, and the same every time. */
export function sampleEvenly<T>(all: readonly T[], most: number): readonly T[] {
  if (all.length <= most) return all;
  return Array.from({ length: most }, (_, i) => all[Math.floor(((i + 0.5) * all.length) / most)]);
}
