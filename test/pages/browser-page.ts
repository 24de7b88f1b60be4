/** The page of browser.test.ts: everything by `oddity/browser`, as a user's page has it. */
import { detectorFiles, fit, loadDetector } from 'oddity/browser';
import { type ModelUnderTest, normals, options, scoreBoth } from './fit-and-score.ts';

/** Fits on WebAssembly, scores, and gives the files of the detector. */
export async function fitAndScore(model: ModelUnderTest) {
  const weights = '/oddity.safetensors';
  const detector = await fit(model, normals, { ...options, weights });
  const files = detectorFiles(detector);
  const scores = await scoreBoth(detector);
  await detector.close();
  return {
    device: detector.device,
    scores,
    onnx: await dataUrl(files['model.onnx']),
    json: new TextDecoder().decode(files['model.json']),
  };
}

/** Bytes as text, which leaves the page quicker than a list of numbers. */
function dataUrl(bytes: Uint8Array): Promise<string> {
  const reader = new FileReader();
  return new Promise((resolve, reject) => {
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(new Blob([bytes as Uint8Array<ArrayBuffer>]));
  });
}

/** Scores with a detector that Node wrote: from its URL, and from the files that a user chose. */
export async function loadAndScore(device: 'wasm' | 'webgpu') {
  const [onnx, json] = await Promise.all(
    ['model.onnx', 'model.json'].map(async (name) => new File([await (await fetch(`/${name}`)).blob()], name)),
  );
  const all = [];
  for (const files of ['/', '/model.onnx', [json, onnx], { 'model.onnx': onnx, 'model.json': json }]) {
    const detector = await loadDetector(files, { device, threads: 1 });
    all.push(await scoreBoth(detector));
    await detector.close();
  }
  return all;
}

/** The code and the sentence of what a call rejects with. */
export async function refusal(call: () => Promise<unknown>) {
  try {
    await call();
    return 'nothing';
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return { code, message };
  }
}

/** Scores with the files of onnxruntime-web from a folder of their own. */
export async function scoreFrom(device: 'wasm' | 'webgpu', wasmPaths: string) {
  const detector = await loadDetector('/', { device, threads: 1, wasmPaths });
  const scores = await scoreBoth(detector);
  await detector.close();
  return scores;
}

export const refusals = async () => ({
  weights: await refusal(() => fit('dfm', normals)),
  absent: await refusal(() => fit('dfm', normals, { weights: '/none.safetensors' })),
  device: await refusal(() => fit('pca', normals, { device: 'cpu' as 'wasm' })),
  missing: await refusal(() => loadDetector('/none')),
  damaged: await refusal(async () =>
    loadDetector({ 'model.onnx': new Uint8Array(9), 'model.json': await (await fetch('/model.json')).blob() }),
  ),
  save: await refusal(async () => (await loadDetector('/')).save('folder')),
});
