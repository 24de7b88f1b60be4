/** How long a search in a tree of random cuts takes, by which isolation forests measure their ways. */

/** Mean length of an unsuccessful search among n items, c(n), equation 1 of Liu, Ting and Zhou, ICDM 2008. */
export function searchLength(n: number): number {
  if (n <= 1) return 0;
  if (n === 2) return 1;
  return 2 * (Math.log(n - 1) + 0.5772156649015329) - (2 * (n - 1)) / n;
}
