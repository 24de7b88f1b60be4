/**
 * The permutation that NumPy's `RandomState(seed).permutation(n)` gives, for splits that public code draws with it (scikit-learn's
 * `train_test_split` among them): the Mersenne Twister MT19937 (Matsumoto and Nishimura 1998), Fisher–Yates from the last place
 * down, and integers by rejection under a mask of bits. Nothing else of NumPy is here; what is random otherwise comes from `Rng`.
 */

const [N, M] = [624, 397];

/** 32-bit numbers of MT19937, seeded with one integer below 2^32. */
function mersenneTwister(seed: number): () => number {
  const state = new Uint32Array(N);
  state[0] = seed;
  for (let i = 1; i < N; i++) {
    const last = state[i - 1] ^ (state[i - 1] >>> 30);
    state[i] = Math.imul(1812433253, last) + i;
  }
  let at = N;
  const turn = () => {
    for (let i = 0; i < N; i++) {
      const joined = (state[i] & 0x80000000) | (state[(i + 1) % N] & 0x7fffffff);
      state[i] = state[(i + M) % N] ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0);
    }
    at = 0;
  };
  return () => {
    if (at === N) turn();
    let y = state[at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
}

/** The numbers 0 … n − 1 as `numpy.random.RandomState(seed).permutation(n)` orders them; n below 2^32, seed in [0, 2^32). */
export function numpyPermutation(seed: number, n: number): Uint32Array<ArrayBuffer> {
  const next = mersenneTwister(seed);
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const mask = 2 ** (32 - Math.clz32(i)) - 1;
    let j = (next() & mask) >>> 0;
    while (j > i) j = (next() & mask) >>> 0;
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
