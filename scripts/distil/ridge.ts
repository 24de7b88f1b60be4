/** Ridge regression: the linear map from some columns to others. */

/** `[inputs, outputs]` by which centred `x [n, inputs]` say `y [n, outputs]` best: (XᵀX / n + λ I)⁻¹ Xᵀ Y / n. */
export function ridge(
  x: readonly Float32Array[],
  y: readonly Float32Array[],
  penalty: number,
): { inputs: number; outputs: number; map: Float64Array } {
  const [inputs, outputs] = [x[0].length, y[0].length];
  const gram = new Float64Array(inputs * inputs);
  const map = new Float64Array(inputs * outputs);
  for (let n = 0; n < x.length; n++)
    for (let i = 0; i < inputs; i++) {
      const v = x[n][i] / x.length;
      for (let j = 0; j <= i; j++) gram[i * inputs + j] += v * x[n][j];
      for (let k = 0; k < outputs; k++) map[i * outputs + k] += v * y[n][k];
    }
  for (let i = 0; i < inputs; i++) gram[i * inputs + i] += penalty;
  // Cholesky, L Lᵀ, in the lower half; then L z = b and Lᵀ w = z.
  for (let j = 0; j < inputs; j++)
    for (let i = j; i < inputs; i++) {
      let sum = gram[i * inputs + j];
      for (let k = 0; k < j; k++) sum -= gram[i * inputs + k] * gram[j * inputs + k];
      gram[i * inputs + j] = i === j ? Math.sqrt(sum) : sum / gram[j * inputs + j];
    }
  for (let i = 0; i < inputs; i++) {
    for (let k = 0; k < i; k++) {
      const l = gram[i * inputs + k];
      for (let o = 0; o < outputs; o++) map[i * outputs + o] -= l * map[k * outputs + o];
    }
    for (let o = 0; o < outputs; o++) map[i * outputs + o] /= gram[i * inputs + i];
  }
  for (let i = inputs - 1; i >= 0; i--) {
    for (let k = i + 1; k < inputs; k++) {
      const l = gram[k * inputs + i];
      for (let o = 0; o < outputs; o++) map[i * outputs + o] -= l * map[k * outputs + o];
    }
    for (let o = 0; o < outputs; o++) map[i * outputs + o] /= gram[i * inputs + i];
  }
  return { inputs, outputs, map };
}
