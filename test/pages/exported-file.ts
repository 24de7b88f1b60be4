/** What a page needs to score with an exported file: onnxruntime-web, and nothing of ours. */
type Ort = typeof import('onnxruntime-web');

export async function scoreFile(
  device: 'wasm' | 'webgpu',
  file: string,
  pixels: readonly number[],
  shape: readonly number[],
): Promise<{ scores: number[]; maps: number[] }> {
  const ort = (device === 'webgpu'
    ? await import('onnxruntime-web/webgpu')
    : await import('onnxruntime-web/wasm')) as unknown as Ort;
  ort.env.logLevel = 'error';
  const session = await ort.InferenceSession.create(file, { executionProviders: [device] });
  const { score, map } = await session.run({ image: new ort.Tensor('float32', Float32Array.from(pixels), shape) });
  return { scores: Array.from(score.data as Float32Array), maps: Array.from(map.data as Float32Array) };
}
