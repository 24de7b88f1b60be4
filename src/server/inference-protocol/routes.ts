/**
 * The Open Inference Protocol V2 (KServe, Triton): health, metadata, inference with JSON and binary tensors, and the repository
 * extension. Inputs are encoded items, as `model.json` says; outputs are those of the graph, and what the threshold makes of scores.
 */
import { type Context, Hono } from 'hono';
import * as z from 'zod';
import { version } from '../../core/version.ts';
import { decide } from '../../engine/judging/calibrate.ts';
import type { ArtifactInfo } from '../../engine/scoring/artifact.ts';
import type { BatchScore } from '../../engine/scoring/detector.ts';
import { findKind } from '../../kinds/index.ts';
import type { Catalogue, Opened } from '../catalogue.ts';
import { firstFault } from '../first-fault.ts';
import { Problem } from '../problem.ts';
import type { ServerContext } from '../server-context.ts';
import { JSON_LENGTH, type OutputTensor, readTensor, splitBody, writeAnswer } from './tensors.ts';

const tensor = z.object({
  name: z.string(),
  shape: z.array(z.int().min(0)).min(1),
  datatype: z.string(),
  data: z.unknown().optional(),
  parameters: z.record(z.string(), z.unknown()).optional(),
});

/** The JSON part of a request for inference. */
export const inferRequest = z.object({
  id: z.string().optional(),
  parameters: z.record(z.string(), z.unknown()).optional(),
  inputs: z.array(tensor).min(1),
  outputs: z.array(z.object({ name: z.string(), parameters: z.record(z.string(), z.unknown()).optional() })).optional(),
});

/** An answer in JSON. */
export const inferAnswer = z.object({
  model_name: z.string(),
  model_version: z.string(),
  id: z.string().optional(),
  outputs: z.array(tensor),
});

export const serverMetadata = z.object({ name: z.string(), version: z.string(), extensions: z.array(z.string()) });
const tensorMetadata = z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.int()) });
export const modelMetadata = z.object({
  name: z.string(),
  versions: z.array(z.string()),
  platform: z.string(),
  inputs: z.array(tensorMetadata),
  outputs: z.array(tensorMetadata),
});
export const repositoryIndex = z.array(
  z.object({ name: z.string(), version: z.string(), state: z.string(), reason: z.string() }),
);

/** An output that a client may ask for. */
interface Output {
  readonly name: string;
  readonly datatype: OutputTensor['datatype'];
  /** Of one item. */
  readonly shape: readonly number[];
  data(found: BatchScore, info: ArtifactInfo): OutputTensor['data'];
}

/** The outputs of a detector: what its graph has, and under a threshold what is made of scores. */
function outputsOf(info: ArtifactInfo): Output[] {
  const shape = findKind(info.kind).mapShape(info.shape);
  const all: (Output & { readonly isThere: boolean })[] = [
    { name: 'score', datatype: 'FP32', shape: [], data: ({ scores }) => scores, isThere: true },
    { name: 'map', datatype: 'FP32', shape, data: ({ maps }) => maps, isThere: info.outputs.includes('map') },
    {
      name: 'reconstruction',
      datatype: 'FP32',
      shape: info.shape,
      data: ({ reconstructions }) => reconstructions!,
      isThere: info.outputs.includes('reconstruction'),
    },
    {
      name: 'is_anomalous',
      datatype: 'BOOL',
      shape: [],
      data: ({ scores }, { threshold }) => Array.from(scores, (score) => score >= threshold.value!),
      isThere: info.threshold.value !== null,
    },
    {
      name: 'decision',
      datatype: 'BYTES',
      shape: [],
      data: ({ scores }, { threshold }) =>
        Array.from(scores, (score) => (Number.isNaN(score) ? 'no-score' : decide(threshold, score)!)),
      isThere: info.threshold.value !== null,
    },
  ];
  return all.filter(({ isThere }) => isThere);
}

function metadataOf(catalogue: Catalogue, name: string, info: ArtifactInfo): z.infer<typeof modelMetadata> {
  return {
    name,
    versions: catalogue.versionsOf(name),
    platform: 'onnx_onnxruntime',
    inputs: [{ name: info.input.name, datatype: 'FP32', shape: [-1, ...info.shape] }],
    outputs: outputsOf(info)
      .map((output) => ({ ...output, shape: [-1, ...output.shape] }))
      .map(({ name, datatype, shape }) => ({ name, datatype, shape })),
  };
}

/** The routes below `/v2`. */
export function inferenceProtocol({ catalogue, isReady, within, bodyOf }: ServerContext): Hono {
  const app = new Hono();
  const metadata = { name: 'oddity', version, extensions: ['binary_tensor_data', 'model_repository'] };
  app.get('/', (c) => c.json(metadata));
  app.get('/health/live', (c) => c.json({ live: true }));
  app.get('/health/ready', (c) => c.json({ ready: isReady() }, isReady() ? 200 : 503));

  for (const path of ['/models/:name', '/models/:name/versions/:version'] as const) {
    app.get(path, async (c) => {
      const { name, version } = asked(c);
      return c.json(metadataOf(catalogue, name, await catalogue.info(name, version)));
    });
    app.get(`${path}/ready`, (c) => {
      const { name, version } = asked(c);
      const { name: found, isReady: ready } = catalogue.find(name, version);
      return c.json({ name: found, ready }, ready ? 200 : 503);
    });
    app.post(`${path}/infer`, async (c) => {
      const { name, version } = asked(c);
      const body = await bodyOf(c, Number(c.req.header(JSON_LENGTH)) || 0);
      return catalogue.use(name, version, (opened) => infer(c, opened, body, within));
    });
  }

  app.post('/repository/index', (c) =>
    c.json(
      catalogue.entries().map(({ name, version, isOpen, fault = '' }) => ({
        ...{
          name,
          version,
          state: isOpen ? 'READY' : 'UNAVAILABLE',
          reason: fault || (isOpen ? '' : 'opened on demand'),
        },
      })),
    ),
  );
  app.post('/repository/models/:name/load', async (c) => {
    await catalogue.load(c.req.param('name'));
    return c.json({});
  });
  app.post('/repository/models/:name/unload', async (c) => {
    await catalogue.unload(c.req.param('name'));
    return c.json({});
  });
  return app;
}

const asked = (c: Context) => ({ name: c.req.param('name') ?? '', version: c.req.param('version') });

async function infer(c: Context, opened: Opened, body: Uint8Array, within: number): Promise<Response> {
  const { detector, batcher } = opened;
  const { info } = detector;
  const { json, rest } = splitBody(body, c.req.header(JSON_LENGTH));
  const parsed = inferRequest.safeParse(json);
  if (!parsed.success) throw new Problem(400, 'bad-request', firstFault(parsed.error));
  const { id, inputs, outputs: wanted, parameters } = parsed.data;
  const [input, ...others] = inputs;
  if (input.name !== info.input.name || others.length > 0) {
    const names = inputs.map(({ name }) => name).join(', ');
    throw new Problem(400, 'unknown-input', `${opened.name} takes one input, ${info.input.name}, got ${names}.`);
  }
  const { values, count, used } = readTensor(input, info.shape, rest);
  if (used !== rest.length) {
    throw new Problem(
      400,
      'bad-tensor',
      `${rest.length - used} bytes follow the tensors that the JSON names. Leave them out.`,
    );
  }
  const known = outputsOf(info);
  const chosen = wanted?.length ? wanted.map(({ name }) => outputNamed(known, name, opened.name)) : known;
  const found = await batcher.score(values, count, { maps: chosen.some(({ name }) => name === 'map'), within });
  const outputs = chosen.map(
    (output): OutputTensor => ({
      name: output.name,
      datatype: output.datatype,
      shape: [count, ...output.shape],
      data: output.data(found, info),
    }),
  );
  const isBinary = (name: string) =>
    (wanted?.find((output) => output.name === name)?.parameters?.binary_data ?? parameters?.binary_data_output) ===
    true;
  const about = { model_name: opened.name, model_version: opened.version, ...(id !== undefined && { id }) };
  const { body: answer, jsonLength } = writeAnswer(about, outputs, isBinary);
  return c.body(answer as Uint8Array<ArrayBuffer>, 200, {
    'Content-Type': jsonLength === undefined ? 'application/json' : 'application/octet-stream',
    ...(jsonLength !== undefined && { [JSON_LENGTH]: String(jsonLength) }),
  });
}

function outputNamed(known: readonly Output[], name: string, detector: string): Output {
  const found = known.find((output) => output.name === name);
  if (found) return found;
  const names = known.map((output) => output.name).join(', ');
  throw new Problem(400, 'unknown-output', `${detector} has no output "${name}". Its outputs: ${names}.`);
}
