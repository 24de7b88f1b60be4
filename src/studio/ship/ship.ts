/** What is handed on with a run: its files, its card, and how it is used elsewhere. */
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { backbones } from '../../backbones/index.ts';
import { option, type Words } from '../../core/text.ts';
import type { ArtifactInfo } from '../../engine/scoring/artifact.ts';
import { modelCard } from '../../report/model-card.ts';
import { readArtifactInfo } from '../../runs/artifact.ts';
import { readReport } from '../../runs/report-file.ts';
import { Problem } from '../../server/problem.ts';
import { commandOf } from '../command.ts';
import type { Project } from '../project.ts';
import { runFolder } from '../runs.ts';
import { isServed, servedName } from './serving.ts';
import { type Snippet, snippetsOf } from './snippets.ts';

export interface ShipFile {
  readonly name: string;
  readonly sizeBytes: number;
}

export interface ShipFacts {
  readonly run: string;
  readonly model: string;
  readonly title: string;
  readonly folder: string;
  readonly files: readonly ShipFile[];
  /** Markdown. */
  readonly card: string;
  readonly snippets: readonly Snippet[];
  /** What does the same on the command line. */
  readonly commands: { readonly export: string; readonly serve: string };
  /** Name at `/detectors/<name>`, and whether this Studio answers there. */
  readonly served: { readonly name: string; readonly isServed: boolean };
}

/** Files of a run that may be downloaded, by their names. */
const downloads: Readonly<Record<string, string>> = {
  'model.onnx': 'application/octet-stream',
  'model.json': 'application/json',
  'weights.bin': 'application/octet-stream',
  'report.html': 'text/html; charset=utf-8',
  'metrics.json': 'application/json',
  'predictions.csv': 'text/csv; charset=utf-8',
};

/** Throws Problem 404 for a run that is not there, 409 for one that is not finished. */
export async function shipFacts(
  project: Project,
  run: string,
  { url, words }: { readonly url: string; readonly words: Words },
): Promise<ShipFacts> {
  const folder = await runFolder(project, run);
  const [info, report] = [await readArtifactInfo(folder), await readReport(folder)];
  if (!info || !report)
    throw new Problem(409, 'unfinished-run', `${run} is not finished, so that there is nothing to hand on yet.`);
  const sizes = await Promise.all(
    Object.keys(downloads).map(async (name) => ({
      name,
      sizeBytes: (await stat(join(folder, name)).catch(() => undefined))?.size,
    })),
  );
  const name = servedName(project.name, run);
  return {
    ...{ run, folder, model: info.model, title: info.title },
    files: sizes.flatMap(({ name, sizeBytes }) => (sizeBytes === undefined ? [] : [{ name, sizeBytes }])),
    card: modelCard({ report, info, weights: weightsOf(info) }),
    snippets: snippetsOf({ info, folder, url, name }),
    commands: {
      export: commandOf(words, 'export', [folder], [option('verify', true)]),
      serve: commandOf(words, 'serve', [folder]),
    },
    served: { name, isServed: isServed(project, run) },
  };
}

/** Licences of the pretrained networks that a configuration names. */
function weightsOf({ config }: ArtifactInfo): { name: string; licence: string }[] {
  const { backbone } = config;
  if (typeof backbone !== 'string') return [];
  const found = backbones.find(({ name }) => name === backbone);
  const licence = found?.weights?.licence ?? found?.brought?.licence ?? 'that of the file, which is not known here';
  return [{ name: found?.title ?? basename(backbone), licence }];
}

/** Throws Problem 404 for what is no file of a run. */
export async function shipFile(
  project: Project,
  run: string,
  name: string,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; type: string }> {
  const folder = await runFolder(project, run);
  const type = Object.hasOwn(downloads, name) ? downloads[name] : undefined;
  const bytes = type && (await readFile(join(folder, name)).catch(() => undefined));
  if (!type || !bytes) throw new Problem(404, 'unknown-file', `${run} has no file of that name to download.`);
  return { bytes: new Uint8Array(bytes), type };
}
