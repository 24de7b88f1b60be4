/**
 * The interface of Azure's Anomaly Detector (v1.0, v1.1 and their previews) for one series, so that its clients work as they are. Each
 * request carries its series and nothing is kept. Left out: its multivariate interface, which trained models from files in the cloud;
 * a detector of series that was trained here does what that did.
 */
import { type Context, Hono } from 'hono';
import type * as z from 'zod';
import { Problem } from '../problem.ts';
import { jsonOf } from '../request-body.ts';
import type { ServerContext } from '../server-context.ts';
import { detectChangePoints, detectEntire, detectLast } from './detect.ts';
import { changePointRequest, detectRequest } from './schemas.ts';

/** Codes of Azure for what is wrong with a field. */
const codes: Readonly<Record<string, string>> = {
  series: 'InvalidSeries',
  granularity: 'InvalidGranularity',
  customInterval: 'InvalidCustomInterval',
  period: 'InvalidPeriod',
  maxAnomalyRatio: 'InvalidModelArgument',
  sensitivity: 'InvalidModelArgument',
  stableTrendWindow: 'InvalidModelArgument',
  threshold: 'InvalidModelArgument',
  imputeMode: 'InvalidImputeMode',
  imputeFixedValue: 'InvalidImputeFixedValue',
};

/** The routes below `/anomalydetector`. */
export function univariate({ bodyOf }: Pick<ServerContext, 'bodyOf'>): Hono {
  const app = new Hono();
  const read = async <Schema extends z.ZodType>(c: Context, schema: Schema) =>
    requestOf(c.req.param('version') ?? '', await bodyOf(c), schema);
  app.post('/:version/timeseries/entire/detect', async (c) => c.json(detectEntire(await read(c, detectRequest))));
  app.post('/:version/timeseries/last/detect', async (c) => c.json(detectLast(await read(c, detectRequest))));
  app.post('/:version/timeseries/changepoint/detect', async (c) =>
    c.json(detectChangePoints(await read(c, changePointRequest))),
  );
  app.all('/:version/multivariate/*', () => {
    throw new Problem(
      501,
      'NotSupported',
      'This server has no multivariate models of Azure. Train a detector of series, and score with POST /detectors/{name}/score.',
    );
  });
  return app;
}

/** A request by its schema, its faults by the codes of Azure. */
function requestOf<Schema extends z.ZodType>(version: string, body: Uint8Array, schema: Schema): z.infer<Schema> {
  if (!/^v1\.[01](-|$)/.test(version)) {
    throw new Problem(404, 'NotFound', `There is no version "${version}" of this interface here, only v1.0 and v1.1.`);
  }
  const json = jsonOf(body);
  if (json === undefined) throw new Problem(400, 'InvalidJsonFormat', 'The body must be JSON in UTF-8, but is not.');
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw fault(parsed.error, json);
  const { imputeMode, imputeFixedValue } = parsed.data as z.infer<typeof detectRequest>;
  if (imputeMode === 'fixed' && typeof imputeFixedValue !== 'number') {
    throw new Problem(400, 'InvalidImputeFixedValue', 'With imputeMode fixed, imputeFixedValue must say the number.');
  }
  return parsed.data;
}

function fault({ issues: [issue] }: z.ZodError, json: unknown): Problem {
  const [field] = issue.path.map(String);
  const isAbsent = field !== undefined && (json as Record<string, unknown>)[field] === undefined;
  const code = isAbsent ? `Required${field[0].toUpperCase()}${field.slice(1)}` : (codes[field] ?? 'BadArgument');
  const what = field === undefined ? 'The body' : issue.path.join('.');
  return new Problem(
    400,
    code,
    isAbsent ? `${field} must be given.` : `${what} is not as it must be: ${issue.message}.`,
  );
}
