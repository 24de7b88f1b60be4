/**
 * Seeded, splittable random streams. One seed, one stream per purpose (`rng.split('shuffle')`), so that changing one
 * use never moves another. Generator: xoroshiro128+ (pure-rand); normals by Box–Muller; shuffles by Fisher–Yates.
 */
import { xoroshiro128plus, xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

/** FNV-1a of the UTF-8 bytes, 32 bits. */
function hash32(text: string): number {
  let h = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    h ^= byte;
    h = Math.imul(h, 0x01000193);
  }
  return h | 0;
}

/** murmur3's finaliser: every output bit depends on every input bit. */
function mix32(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

type Generator = ReturnType<typeof xoroshiro128plus>;

/**
 * A random stream with a lifetime of its own: drawing advances it, `split` never does.
 * @example new Rng(1).split('init').split('conv1').normal(9)
 */
export class Rng {
  readonly seed: number;
  readonly path: string;
  private readonly generator: Generator;

  constructor(seed: number, path = '', state?: readonly number[]) {
    this.seed = seed;
    this.path = path;
    this.generator = state ? xoroshiro128plusFromState(state) : xoroshiro128plus(mix32(hash32(`${seed}/${path}`)));
  }

  /** The stream named `name` below this one; the same name always gives the same fresh stream. */
  split(name: string | number): Rng {
    return new Rng(this.seed, `${this.path}/${name}`);
  }

  /** The generator's state, for checkpoints; `new Rng(seed, path, state)` goes on from there. */
  state(): readonly number[] {
    return this.generator.getState();
  }

  /** 32 random bits as an unsigned integer. */
  bits(): number {
    return this.generator.next() >>> 0;
  }

  /** A number in [0, 1) with 53 random bits. */
  uniform(): number {
    return ((this.bits() >>> 5) * 67108864 + (this.bits() >>> 6)) / 9007199254740992;
  }

  /** A whole number in [0, n), without modulo bias. */
  int(n: number): number {
    const limit = 4294967296 - (4294967296 % n);
    for (;;) {
      const b = this.bits();
      if (b < limit) return b % n;
    }
  }

  /** `n` values uniform in [low, high), float32. */
  uniforms(n: number, low = 0, high = 1): Float32Array {
    const out = new Float32Array(n);
    const scale = (high - low) / 4294967296;
    for (let i = 0; i < n; i++) out[i] = low + this.bits() * scale;
    return out;
  }

  /** `n` values of a normal distribution, float32 (Box–Muller, both values used). */
  normals(n: number, mean = 0, std = 1): Float32Array {
    const out = new Float32Array(n);
    for (let i = 0; i < n; i += 2) {
      const radius = std * Math.sqrt(-2 * Math.log((this.bits() + 1) / 4294967296));
      const angle = (2 * Math.PI * this.bits()) / 4294967296;
      out[i] = mean + radius * Math.cos(angle);
      if (i + 1 < n) out[i + 1] = mean + radius * Math.sin(angle);
    }
    return out;
  }

  /** A random order of 0 … n − 1. */
  permutation(n: number): Uint32Array<ArrayBuffer> {
    return this.shuffle(Uint32Array.from({ length: n }, (_, i) => i));
  }

  /** Shuffles in place and returns its argument. */
  shuffle<T extends { length: number; [i: number]: unknown }>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      const kept = items[i];
      items[i] = items[j];
      items[j] = kept;
    }
    return items;
  }
}
