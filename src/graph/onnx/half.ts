/** Half-precision numbers, IEEE 754 binary16: (−1)ˢ · 2^(e−15) · (1 + m/1024); e = 0 is m · 2⁻²⁴, e = 31 infinity or NaN. */

/** The largest finite one. */
export const LARGEST_HALF = 65_504;

/** The number of 16 bits. */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * 2 ** (exponent - 15) * (1 + mantissa / 1024);
}

/** The bits of the nearest half; of two equally near ones the even one. What is too large becomes infinite. */
export function floatToHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65_520) return sign | 0x7c00;
  // One unit in the last place of a half of this size; subnormal halves share that of the smallest exponent.
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const exact = size < 2 ** exponent ? exponent - 1 : size >= 2 ** (exponent + 1) ? exponent + 1 : exponent; // log2 rounds
  const power = Math.max(-14, exact);
  const steps = roundEven(size / 2 ** (power - 10));
  // Counting on through the exponents is what the bits do.
  return sign | ((power + 14) * 1024 + steps);
}

function roundEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  if (rest !== 0.5) return rest < 0.5 ? low : low + 1;
  return low % 2 === 0 ? low : low + 1;
}
