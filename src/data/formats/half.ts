/** The two types of 16-bit floats that weights are stored in, and float32. */

/** IEEE 754 half precision: 1 sign, 5 exponent and 10 fraction bits. */
export function fromFloat16(halves: Uint16Array): Float32Array {
  return Float32Array.from(halves, (h) => {
    const sign = h & 0x8000 ? -1 : 1;
    const exponent = (h >> 10) & 31;
    const fraction = h & 1023;
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    return sign * (1024 + fraction) * 2 ** (exponent - 25);
  });
}

/** To the nearest half-precision number, of two as near the even one; beyond 65504 infinite. */
export function toFloat16(values: Float32Array): Uint16Array {
  return Uint16Array.from(values, (v) => {
    const sign = v < 0 || Object.is(v, -0) ? 0x8000 : 0;
    const size = Math.abs(v);
    if (Number.isNaN(size)) return 0x7e00;
    // Numbers below 2⁻¹⁴ share its step, 2⁻²⁴.
    const exponent = Math.max(-14, Math.floor(Math.log2(size)));
    if (exponent > 15) return sign | 0x7c00;
    const steps = nearestEven(size / 2 ** (exponent - 10));
    // 1024 steps more are one more in the exponent: what is rounded up to the next power of two is right as it is.
    return sign | Math.min(0x7c00, steps + 1024 * (exponent + 14));
  });
}

function nearestEven(v: number): number {
  const below = Math.floor(v);
  const over = v - below;
  return over > 0.5 || (over === 0.5 && below % 2 === 1) ? below + 1 : below;
}

/** bfloat16 is the upper half of a float32. */
export function fromBfloat16(halves: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(halves, (h) => h << 16).buffer);
}
