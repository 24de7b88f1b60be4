/**
 * Files of TSB-AD for tests, from the data root of `ODDITY_DATA`: carried whole (`tsb_ad`), or rebuilt from NAB, whose first
 * data row TSB-AD drops and whose windows it labels from start to just before the end. 326 is the test file of UCR 135.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface TsbSeries {
  /** `[T, channels]`, step after step. */
  readonly values: Float64Array;
  readonly channels: number;
  /** One a step, 1 = anomalous. */
  readonly labels: Uint8Array;
  /** Steps at the beginning that are for training. */
  readonly train: number;
}

const carried: Readonly<Record<string, string>> = {
  '001': '001_NAB_id_1_Facility_tr_1007_1st_2014.csv',
  '013': '013_NAB_id_13_Traffic_tr_623_1st_2084.csv',
  '326': '135_UCR_Anomaly_InternalBleeding16_TEST.csv',
  '346': '346_UCR_id_44_Medical_tr_7456_1st_17390.csv',
  M008: '008_MSL_id_7_Sensor_tr_656_1st_1630.csv',
  M169: '169_SMAP_id_26_Sensor_tr_1811_1st_4510.csv',
};

const fromNab: Readonly<Record<string, string>> = {
  '006': 'realKnownCause/nyc_taxi.csv',
  '008': 'artificialWithAnomaly/art_load_balancer_spikes.csv',
  '016': 'realKnownCause/ambient_temperature_system_failure.csv',
  '017': 'artificialWithAnomaly/art_increase_spike_density.csv',
  '018': 'realKnownCause/rogue_agent_key_hold.csv',
  '019': 'realAWSCloudwatch/ec2_cpu_utilization_5f5533.csv',
  '023': 'realKnownCause/cpu_utilization_asg_misconfiguration.csv',
};

const root = process.env.ODDITY_DATA ?? '';

/** Whether the files are here; tests skip otherwise, saying that ODDITY_DATA needs the folders tsb_ad and nab. */
export const hasTsb = existsSync(join(root, 'tsb_ad')) && existsSync(join(root, 'nab'));

const rowsOf = (...path: string[]) =>
  readFileSync(join(root, ...path), 'utf8')
    .trim()
    .split('\n')
    .slice(1);

/** The file of TSB-AD-U with this number, or of TSB-AD-M with an `M` before it. */
export function tsbSeries(number: string): TsbSeries {
  if (number in fromNab) return rebuilt(number);
  const file = carried[number];
  const rows = rowsOf('tsb_ad', file).map((row) => row.split(',').map(Number));
  // UCR's files begin with a column of row numbers.
  const from = file.includes('_UCR_Anomaly_') ? 1 : 0;
  return {
    values: Float64Array.from(rows.flatMap((row) => row.slice(from, -1))),
    channels: rows[0].length - 1 - from,
    labels: Uint8Array.from(rows, (row) => row.at(-1)!),
    train: trainOf(number),
  };
}

function rebuilt(number: string): TsbSeries {
  const file = fromNab[number];
  const rows = rowsOf('nab', 'data', file).map((row) => row.split(','));
  const windows = JSON.parse(readFileSync(join(root, 'nab', 'labels', 'combined_windows.json'), 'utf8'))[file];
  const labels = new Uint8Array(rows.length);
  const times = rows.map(([time]) => time);
  for (const [start, end] of windows as [string, string][]) {
    labels.fill(1, times.indexOf(start.slice(0, 19)), times.indexOf(end.slice(0, 19)));
  }
  return {
    values: Float64Array.from(rows.slice(1), ([, value]) => Number(value)),
    channels: 1,
    labels: labels.subarray(0, rows.length - 1),
    train: trainOf(number),
  };
}

/** The training length is in the published name of the file. */
function trainOf(number: string): number {
  const table = number.startsWith('M') ? 'published-multivariate-vus-pr.csv' : 'published-univariate-vus-pr.csv';
  const name = rowsOf('tsb_ad', table).find((row) => row.startsWith(`${number.replace('M', '')}_`))!;
  return Number(/_tr_(\d+)_/.exec(name)![1]);
}
