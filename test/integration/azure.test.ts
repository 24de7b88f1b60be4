/** Azure's own client for its Anomaly Detector, as npm has it, against `oddity serve`: only the address and the key are others. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import azure, { type TimeSeriesPoint } from '@azure/ai-anomaly-detector';
import { AzureKeyCredential } from '@azure/core-auth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serve } from '../../dist/server/serve.js';

const { AnomalyDetectorClient } = azure; // the package is CommonJS
const KEY = 'a-key-of-sixteen-letters';
const quiet = { log: { write() {} } };
const data = process.env.ODDITY_DATA;
const nab = join(data ?? '', 'nab');
const withNab = it.skipIf(data === undefined);
const LACKS = data === undefined ? ' (skipped: ODDITY_DATA names no folder with nab/)' : '';

let server: Awaited<ReturnType<typeof serve>>;
let client: InstanceType<typeof AnomalyDetectorClient>;

beforeAll(async () => {
  server = await serve([], { port: 0, token: KEY }, quiet);
  client = new AnomalyDetectorClient(server.url, new AzureKeyCredential(KEY));
});

afterAll(() => server?.close());

/** Half hours of passengers of taxis in New York, and the windows in which NAB has its anomalies. */
async function taxis(): Promise<{ series: TimeSeriesPoint[]; windows: [Date, Date][] }> {
  const name = 'realKnownCause/nyc_taxi.csv';
  const lines = (await readFile(join(nab, 'data', name), 'utf8')).trim().split('\n').slice(1);
  const time = (text: string) => new Date(`${text.slice(0, 19).replace(' ', 'T')}Z`);
  const series = lines.slice(-8640).map((line) => {
    const [timestamp, value] = line.split(',');
    return { timestamp: time(timestamp), value: Number(value) };
  });
  const all = JSON.parse(await readFile(join(nab, 'labels', 'combined_windows.json'), 'utf8'));
  return { series, windows: all[name].map(([from, to]: [string, string]) => [time(from), time(to)]) };
}

const steps = (count: number, value: (t: number) => number): TimeSeriesPoint[] =>
  Array.from({ length: count }, (_, t) => ({ timestamp: new Date(Date.UTC(2024, 0, 1, t)), value: value(t) }));

describe('the client of Azure', () => {
  withNab(`finds each anomaly of NAB's taxis in the entire series${LACKS}`, async () => {
    const { series, windows } = await taxis();
    const found = await client.detectEntireSeries({ series, granularity: 'minutely', customInterval: 30 });
    expect(found.period).toBe(336);
    const lengths = [found.expectedValues, found.upperMargins, found.lowerMargins, found.isAnomaly, found.severity!];
    expect(lengths.map((list) => list.length)).toEqual(Array(5).fill(series.length));
    const isIn = ([from, to]: [Date, Date], i: number) => series[i].timestamp! >= from && series[i].timestamp! <= to;
    const anomalies = found.isAnomaly.flatMap((flag, i) => (flag ? [i] : []));
    expect(windows.map((window) => anomalies.some((i) => isIn(window, i)))).toEqual(windows.map(() => true));
    const outside = anomalies.filter((i) => !windows.some((window) => isIn(window, i)));
    expect(outside.length).toBeLessThan(0.005 * series.length);
    for (const i of anomalies) {
      expect(found.isPositiveAnomaly[i]).toBe(series[i].value > found.expectedValues[i]);
      expect(found.isNegativeAnomaly[i]).toBe(series[i].value < found.expectedValues[i]);
    }
  });

  withNab(`judges the last point of NAB's taxis${LACKS}`, async () => {
    const { series } = await taxis();
    // Noon of the blizzard of 27 January 2015, when hardly anybody drove; and one week before.
    const until = (time: string) =>
      series.slice(0, series.findIndex(({ timestamp }) => timestamp! >= new Date(time)) + 1);
    const request = { granularity: 'minutely', customInterval: 30 } as const;
    const storm = await client.detectLastPoint({ ...request, series: until('2015-01-27T12:00Z') });
    expect(storm).toMatchObject({ period: 336, suggestedWindow: 1345, isAnomaly: true, isNegativeAnomaly: true });
    const usual = await client.detectLastPoint({ ...request, series: until('2015-01-20T12:00Z') });
    expect(usual).toMatchObject({ isAnomaly: false, severity: 0 });
  });

  withNab(`finds where half of NAB's taxis are moved up, and no more than a few other places${LACKS}`, async () => {
    const { series } = await taxis();
    const half = Math.floor(series.length / 2);
    const shifted = series.map(({ timestamp, value }, t) => ({ timestamp, value: value + (t >= half ? 20_000 : 0) }));
    const found = await client.detectChangePoint({ series: shifted, granularity: 'minutely', customInterval: 30 });
    expect(found.confidenceScores).toHaveLength(series.length);
    const points = found.isChangePoint!.flatMap((flag, i) => (flag ? [i] : []));
    expect(points.some((i) => Math.abs(i - half) <= 4)).toBe(true);
    expect(points.length).toBeLessThan(10);
  });

  it('detects in made-up series, with its key and no other', async () => {
    const series = steps(240, (t) => 50 + 10 * Math.sin((2 * Math.PI * t) / 24) + ((t * 7919) % 11) / 10);
    series[130] = { ...series[130], value: 90 };
    const { period, isPositiveAnomaly } = await client.detectEntireSeries({ series, granularity: 'hourly' });
    expect(period).toBe(24);
    expect(isPositiveAnomaly.flatMap((flag, i) => (flag ? [i] : []))).toEqual([130]);
    const stranger = new AnomalyDetectorClient(server.url, new AzureKeyCredential('another-key-of-letters'));
    await expect(stranger.detectEntireSeries({ series, granularity: 'hourly' })).rejects.toMatchObject({
      ...{ statusCode: 401, code: 'no-token' },
    });
  });

  it.each([
    ['InvalidSeries', { series: steps(5, () => 1), granularity: 'hourly' }],
    ['InvalidSeries', { series: steps(20, () => 1), granularity: 'daily' }],
    ['RequiredSeries', { series: undefined, granularity: 'hourly' }],
    ['InvalidGranularity', { series: steps(20, () => 1), granularity: 'sometimes' }],
    ['InvalidModelArgument', { series: steps(20, () => 1), granularity: 'hourly', sensitivity: 100 }],
    ['InvalidModelArgument', { series: steps(20, () => 1), granularity: 'hourly', maxAnomalyRatio: 0.7 }],
    ['InvalidPeriod', { series: steps(20, () => 1), granularity: 'hourly', period: 15 }],
    ['InvalidImputeMode', { series: steps(20, () => 1), granularity: 'hourly', imputeMode: 'guess' }],
    ['InvalidImputeFixedValue', { series: steps(20, () => 1), granularity: 'hourly', imputeMode: 'fixed' }],
    ['InvalidCustomInterval', { series: steps(20, () => 1), granularity: 'hourly', customInterval: 0 }],
  ])('is answered %s as Azure would', async (code, request) => {
    const headers = { 'Content-Type': 'application/json', 'Ocp-Apim-Subscription-Key': KEY };
    const answer = await fetch(`${server.url}/anomalydetector/v1.0/timeseries/entire/detect`, {
      ...{ method: 'POST', headers, body: JSON.stringify(request) },
    });
    expect(answer.status).toBe(400);
    const body = await answer.json();
    expect(Object.keys(body)).toEqual(['code', 'message']);
    expect(body.code).toBe(code);
    expect(body.message).toMatch(/\.$/);
  });

  it('hears of what is no JSON, of other versions, and of what the server does not have', async () => {
    const ask = (path: string, body: string) =>
      fetch(`${server.url}/anomalydetector/${path}`, {
        method: 'POST',
        body,
        headers: { Authorization: `Bearer ${KEY}` },
      });
    const said = async (path: string, body = '{}') => {
      const answer = await ask(path, body);
      return [answer.status, (await answer.json()).code];
    };
    expect(await said('v1.1/timeseries/entire/detect', '{')).toEqual([400, 'InvalidJsonFormat']);
    expect(await said('v1.1/timeseries/entire/detect', '[1]')).toEqual([400, 'BadArgument']);
    expect(await said('v1.1/timeseries/changepoint/detect', JSON.stringify({ series: steps(20, () => 1) }))).toEqual([
      ...[400, 'RequiredGranularity'],
    ]);
    expect(await said('v2.0/timeseries/entire/detect')).toEqual([404, 'NotFound']);
    expect(await said('v1.1/multivariate/models')).toEqual([501, 'NotSupported']);
  });
});
