/** What to copy to use a detector elsewhere: in Node, in a page, in Python with ONNX Runtime alone, and by HTTP. */
import type { ArtifactInfo } from '../../engine/scoring/artifact.ts';

export interface Snippet {
  readonly name: 'node' | 'browser' | 'python' | 'curl';
  readonly title: string;
  readonly code: string;
  /** What to know before it is used. */
  readonly note?: string;
}

export interface SnippetParts {
  readonly info: ArtifactInfo;
  /** Folder of the artefact. */
  readonly folder: string;
  /** Address of this server, and the name of the detector on it. */
  readonly url: string;
  readonly name: string;
}

export function snippetsOf(parts: SnippetParts): readonly Snippet[] {
  return [node(parts), browser(parts), ...python(parts), curl(parts)];
}

const isImages = ({ kind }: ArtifactInfo) => kind === 'image';

/** A row with the columns of the training, to be filled in. */
const rowOf = ({ table }: ArtifactInfo) =>
  `{ ${(table?.columns ?? [])
    .slice(0, 4)
    .map(({ name }) => `${JSON.stringify(name)}: …`)
    .join(', ')} }`;

function node({ info, folder }: SnippetParts): Snippet {
  const open = `import { loadDetector } from 'oddity';\n\nawait using detector = await loadDetector(${JSON.stringify(folder)});`;
  const call = isImages(info)
    ? "const { score, isAnomalous, regions } = await detector.scoreImage('new.png');"
    : info.kind === 'series'
      ? "const { scores, alarms } = await detector.scoreSeries({ id: 'sensor', channels, values });"
      : `const { score, isAnomalous, columns } = await detector.scoreRow(${rowOf(info)});`;
  return { name: 'node', title: 'Node', code: `${open}\n${call}\n` };
}

function browser({ info }: SnippetParts): Snippet {
  const call = isImages(info)
    ? 'const { score, isAnomalous, map } = await detector.scoreImage(file);'
    : info.kind === 'series'
      ? 'const { scores, alarms } = await detector.scoreSeries(await readSeries(file));'
      : `const { score, isAnomalous } = await detector.scoreRow(${rowOf(info)});`;
  const names = info.kind === 'series' ? 'openWorker, readSeries' : 'openWorker';
  return {
    name: 'browser',
    title: 'Browser',
    code: `import { ${names} } from 'oddity/browser';\n\nconst worker = openWorker();\nconst detector = await worker.loadDetector('/detector/'); // model.onnx and model.json\n${call}\n`,
  };
}

/** Only images: how rows become inputs takes more than a few lines, and `model.json` says it. */
function python({ info, folder }: SnippetParts): readonly Snippet[] {
  const { image } = info;
  if (!isImages(info) || !image || image.resize.filter !== 'triangle' || image.resize.fit !== 'stretch') return [];
  const [channels, height, width] = info.shape;
  const mode = channels === 1 ? 'L' : 'RGB';
  const [low, high] = image.range.bits8;
  const axes = channels === 1 ? 'pixels[None, None]' : 'pixels.transpose(2, 0, 1)[None]';
  const code = `import json
import numpy as np
import onnxruntime as ort
from PIL import Image

folder = ${JSON.stringify(folder)}
info = json.load(open(f"{folder}/model.json"))
session = ort.InferenceSession(f"{folder}/model.onnx")
image = Image.open("new.png").convert("${mode}").resize((${width}, ${height}), Image.BILINEAR)
pixels = (np.asarray(image, np.float32) - ${low}) / ${high - low}
score, = session.run(["score"], {"${info.input.name}": ${axes}.astype(np.float32)})
print(score[0], score[0] >= info["threshold"]["value"])
`;
  return [
    {
      ...{ name: 'python', title: 'Python, without oddity', code },
      note: 'For pictures with 8 bits a channel and no transparency. Pillow may round a pixel by one step, so that scores can differ in the third digit.',
    },
  ];
}

function curl({ info, url, name }: SnippetParts): Snippet {
  const body = isImages(info)
    ? `-H 'Content-Type: image/png' --data-binary @new.png`
    : `-H 'Content-Type: text/csv' --data-binary @new.csv`;
  return {
    name: 'curl',
    title: 'HTTP',
    code: `curl -H "Authorization: Bearer $ODDITY_TOKEN" ${body} ${url}/detectors/${name}/score\n`,
    note: 'Serve the detector here first, and put its token into the variable ODDITY_TOKEN. The token is good until Studio ends; a server of its own is started with the command above.',
  };
}
