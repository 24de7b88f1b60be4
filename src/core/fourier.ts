/**
 * Discrete Fourier transform of any length in float64: radix 2 where the length is a power of two, else Bluestein's
 * algorithm, which turns it into a convolution of such a length (Bluestein 1970). Left out: tables kept between calls and
 * transforms of real input at half the cost; no caller is bound by them.
 */

/**
 * Replaces `re + i·im` by its transform Σ x_t e^(−2πi kt/n); with `inverse` by Σ x_t e^(+2πi kt/n) / n.
 * Both arrays have the same length n ≥ 1.
 */
export function fourier(re: Float64Array, im: Float64Array, inverse = false): void {
  const n = re.length;
  // The inverse is the transform with real and imaginary parts exchanged.
  if (inverse) fourier(im, re);
  else if ((n & (n - 1)) === 0) radix2(re, im);
  else bluestein(re, im);
  if (inverse) {
    for (let k = 0; k < n; k++) {
      re[k] /= n;
      im[k] /= n;
    }
  }
}

/** The least power of two that is at least `n`. */
export function powerOfTwo(n: number): number {
  let size = 1;
  while (size < n) size *= 2;
  return size;
}

function radix2(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i >= j) continue;
    [re[i], re[j]] = [re[j], re[i]];
    [im[i], im[j]] = [im[j], im[i]];
  }
  const cos = new Float64Array(n >> 1);
  const sin = new Float64Array(n >> 1);
  for (let k = 0; k < n >> 1; k++) {
    cos[k] = Math.cos((2 * Math.PI * k) / n);
    sin[k] = -Math.sin((2 * Math.PI * k) / n);
  }
  for (let half = 1; half < n; half *= 2) {
    const stride = n / (2 * half);
    for (let from = 0; from < n; from += 2 * half) {
      for (let k = 0; k < half; k++) {
        const [a, b, c, s] = [from + k, from + k + half, cos[k * stride], sin[k * stride]];
        const [x, y] = [re[b] * c - im[b] * s, re[b] * s + im[b] * c];
        re[b] = re[a] - x;
        im[b] = im[a] - y;
        re[a] += x;
        im[a] += y;
      }
    }
  }
}

function bluestein(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  const size = powerOfTwo(2 * n - 1);
  const [cos, sin] = [new Float64Array(n), new Float64Array(n)];
  for (let k = 0; k < n; k++) {
    const angle = (Math.PI * ((k * k) % (2 * n))) / n;
    cos[k] = Math.cos(angle);
    sin[k] = Math.sin(angle);
  }
  const [ar, ai, br, bi] = [0, 1, 2, 3].map(() => new Float64Array(size));
  for (let k = 0; k < n; k++) {
    ar[k] = re[k] * cos[k] + im[k] * sin[k];
    ai[k] = im[k] * cos[k] - re[k] * sin[k];
    br[k] = cos[k];
    bi[k] = sin[k];
    if (k > 0) {
      br[size - k] = cos[k];
      bi[size - k] = sin[k];
    }
  }
  radix2(ar, ai);
  radix2(br, bi);
  for (let k = 0; k < size; k++) {
    const real = ar[k] * br[k] - ai[k] * bi[k];
    ai[k] = ar[k] * bi[k] + ai[k] * br[k];
    ar[k] = real;
  }
  fourier(ar, ai, true);
  for (let k = 0; k < n; k++) {
    re[k] = ar[k] * cos[k] + ai[k] * sin[k];
    im[k] = ai[k] * cos[k] - ar[k] * sin[k];
  }
}
