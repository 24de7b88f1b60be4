/** The description of the server's interface (OpenAPI 3.1), from the schemas that answers are typed by. */
import * as z from 'zod';
import { version } from '../core/version.ts';
import { detectorFacts, detectorList, itemsAnswer, problemAnswer, seriesAnswer } from './detectors/answers.ts';
import {
  inferAnswer,
  inferRequest,
  modelMetadata,
  repositoryIndex,
  serverMetadata,
} from './inference-protocol/routes.ts';
import {
  changePointAnswer,
  changePointRequest,
  detectRequest,
  entireAnswer,
  lastAnswer,
  univariateProblem,
} from './univariate/schemas.ts';

interface Operation {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  /** Bodies by their type; JSON as a schema, bytes as nothing. */
  readonly body?: Readonly<Record<string, z.ZodType | undefined>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly answer: z.ZodType;
}

const ready = z.object({ ready: z.boolean() });
const rows = z.array(z.record(z.string(), z.unknown()));

/** Every operation; a test holds them against the routes. */
export const operations: readonly Operation[] = [
  {
    method: 'get',
    path: '/detectors',
    id: 'listDetectors',
    summary: 'The detectors of this server.',
    answer: detectorList,
  },
  {
    method: 'get',
    path: '/detectors/{name}',
    id: 'getDetector',
    summary: 'What a detector takes, and how its threshold came about.',
    query: { version: 'Default: the latest.' },
    answer: detectorFacts,
  },
  {
    method: 'post',
    path: '/detectors/{name}/score',
    id: 'score',
    summary: 'Scores images, rows or a series as they are.',
    query: { version: 'Default: the latest.', map: '"true" adds a picture of the map to each image.' },
    body: {
      'application/json': rows,
      'text/csv': undefined,
      'image/*': undefined,
      'application/octet-stream': undefined,
      'multipart/form-data': undefined,
    },
    answer: z.union([itemsAnswer, seriesAnswer]),
  },
  {
    method: 'get',
    path: '/v2',
    id: 'serverMetadata',
    summary: 'Name, version and extensions.',
    answer: serverMetadata,
  },
  {
    method: 'get',
    path: '/v2/health/live',
    id: 'serverLive',
    summary: 'The server runs.',
    answer: z.object({ live: z.boolean() }),
  },
  { method: 'get', path: '/v2/health/ready', id: 'serverReady', summary: 'The server takes requests.', answer: ready },
  {
    method: 'get',
    path: '/v2/models/{name}',
    id: 'modelMetadata',
    summary: 'Tensors that a detector takes and gives.',
    answer: modelMetadata,
  },
  {
    method: 'get',
    path: '/v2/models/{name}/versions/{version}',
    id: 'modelVersionMetadata',
    summary: 'The same of one version.',
    answer: modelMetadata,
  },
  {
    method: 'get',
    path: '/v2/models/{name}/ready',
    id: 'modelReady',
    summary: 'A detector can be asked.',
    answer: ready,
  },
  {
    method: 'get',
    path: '/v2/models/{name}/versions/{version}/ready',
    id: 'modelVersionReady',
    summary: 'The same of one version.',
    answer: ready,
  },
  {
    method: 'post',
    path: '/v2/models/{name}/infer',
    id: 'modelInfer',
    summary: 'Scores a tensor of encoded items.',
    body: { 'application/json': inferRequest, 'application/octet-stream': undefined },
    answer: inferAnswer,
  },
  {
    method: 'post',
    path: '/v2/models/{name}/versions/{version}/infer',
    id: 'modelVersionInfer',
    summary: 'The same by one version.',
    body: { 'application/json': inferRequest, 'application/octet-stream': undefined },
    answer: inferAnswer,
  },
  {
    method: 'post',
    path: '/v2/repository/index',
    id: 'repositoryIndex',
    summary: 'Detectors and whether they are open.',
    answer: repositoryIndex,
  },
  {
    method: 'post',
    path: '/v2/repository/models/{name}/load',
    id: 'repositoryLoad',
    summary: 'Opens a detector now.',
    answer: z.object({}),
  },
  {
    method: 'post',
    path: '/v2/repository/models/{name}/unload',
    id: 'repositoryUnload',
    summary: 'Closes a detector until it is loaded again.',
    answer: z.object({}),
  },
  {
    method: 'post',
    path: '/anomalydetector/{apiVersion}/timeseries/entire/detect',
    id: 'detectEntire',
    summary: 'As Azure Anomaly Detector: judges all points of the series that is sent.',
    body: { 'application/json': detectRequest },
    answer: entireAnswer,
  },
  {
    method: 'post',
    path: '/anomalydetector/{apiVersion}/timeseries/last/detect',
    id: 'detectLast',
    summary: 'As Azure Anomaly Detector: judges the last point by those before it.',
    body: { 'application/json': detectRequest },
    answer: lastAnswer,
  },
  {
    method: 'post',
    path: '/anomalydetector/{apiVersion}/timeseries/changepoint/detect',
    id: 'detectChangePoint',
    summary: 'As Azure Anomaly Detector: finds where level or slope change.',
    body: { 'application/json': changePointRequest },
    answer: changePointAnswer,
  },
];

const json = (schema: z.ZodType) => ({ 'application/json': { schema: schemaOf(schema) } });

function schemaOf(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12' });
  return rest;
}

/** The document of `/openapi.json`. */
export function openapi(): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { method, path, id, summary, body, query = {}, answer } of operations) {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
      ...{ name, in: 'path', required: true, schema: { type: 'string' } },
    }));
    const inQuery = Object.entries(query).map(([name, description]) => ({
      ...{ name, in: 'query', description, schema: { type: 'string' } },
    }));
    const content = Object.entries(body ?? {}).map(([type, schema]) => [
      type,
      schema ? { schema: schemaOf(schema) } : {},
    ]);
    const failure = path.startsWith('/v2')
      ? z.object({ error: z.string() })
      : path.startsWith('/anomalydetector')
        ? univariateProblem
        : problemAnswer;
    paths[path] = {
      ...paths[path],
      [method]: {
        operationId: id,
        summary,
        parameters: [...inPath, ...inQuery],
        ...(body && { requestBody: { required: true, content: Object.fromEntries(content) } }),
        responses: {
          200: { description: 'The answer.', content: json(answer) },
          default: { description: 'What was wrong, and what to do.', content: json(failure) },
        },
      },
    };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'oddity', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths,
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    security: [{}, { token: [] }],
  };
}
