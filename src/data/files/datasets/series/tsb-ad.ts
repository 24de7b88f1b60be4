/**
 * TSB-AD: series of many sources with corrected labels (Liu and Paparrizos, NeurIPS 2024). The name of a file says where
 * training ends: `001_NAB_id_1_Facility_tr_1007_1st_2014.csv`. Some files are those of NAB and UCR under other names; where one
 * is not on this machine it is made from them. Found on this machine, never downloaded. Node only.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { DataError } from '../../../../core/errors.ts';
import { type Series, stepsOf } from '../../../series/series.ts';
import { openRows } from '../../open-rows.ts';
import { absentData, findFiles } from '../dataset.ts';
import { behind, readNabFile } from './nab.ts';
import {
  fileNames,
  labelsIn,
  readColumns,
  requireCategory,
  requireTrain,
  type SeriesDataset,
} from './series-dataset.ts';
import { readUcr } from './ucr.ts';

const shape = /^(\d{3,})_(\w+?)_id_\d+_\w+?_tr_(\d+)_1st_-?\d+\.csv(\.gz)?$/;

/** Files that are made from others: NAB without its first row, labels of its windows; a series of UCR as it is. */
const rebuilt: Readonly<Record<string, { readonly nab: string } | { readonly ucr: string }>> = {
  '001_NAB_id_1_Facility_tr_1007_1st_2014': { nab: 'ec2_request_latency_system_failure' },
  '005_NAB_id_5_Traffic_tr_594_1st_1645': { nab: 'occupancy_6005' },
  '006_NAB_id_6_Traffic_tr_2579_1st_5839': { nab: 'nyc_taxi' },
  '008_NAB_id_8_Synthetic_tr_1007_1st_2734': { nab: 'art_load_balancer_spikes' },
  '009_NAB_id_9_Traffic_tr_500_1st_438': { nab: 'TravelTime_451' },
  '013_NAB_id_13_Traffic_tr_623_1st_2084': { nab: 'speed_t4013' },
  '014_NAB_id_14_WebService_tr_500_1st_1045': { nab: 'exchange-3_cpm_results' },
  '016_NAB_id_16_Environment_tr_1816_1st_3540': { nab: 'ambient_temperature_system_failure' },
  '017_NAB_id_17_Synthetic_tr_1007_1st_1805': { nab: 'art_increase_spike_density' },
  '018_NAB_id_18_Facility_tr_500_1st_669': { nab: 'rogue_agent_key_hold' },
  '019_NAB_id_19_Facility_tr_1007_1st_1171': { nab: 'ec2_cpu_utilization_5f5533' },
  '023_NAB_id_23_Facility_tr_4512_1st_16551': { nab: 'cpu_utilization_asg_misconfiguration' },
  '025_NAB_id_25_WebService_tr_3958_1st_4614': { nab: 'Twitter_volume_FB' },
  '026_NAB_id_26_Traffic_tr_624_1st_2261': { nab: 'speed_6005' },
  '326_UCR_id_24_Medical_tr_1875_1st_4187': { ucr: '135_UCR_Anomaly_InternalBleeding16_1200_4187_4199' },
};

/** TSB-AD, from `<root>/tsb_ad/<number>_…csv`, else from NAB and UCR: `tsb-ad/001`; series of several channels are `tsb-ad/008-M`. */
export const tsbAd: SeriesDataset = {
  name: 'tsb-ad',
  title: 'TSB-AD',
  licence: 'Apache-2.0 (TSB-AD); the original data have licences of their own',
  origin: 'Liu and Paparrizos 2024, https://github.com/TheDatumOrg/TSB-AD',
  example: '001',
  categoriesAt(root) {
    const made = Object.entries(rebuilt).flatMap(([name, from]) => (sourceOf(from, root) ? [name.slice(0, 3)] : []));
    return [...new Set([...filesAt(root).keys(), ...made])].sort();
  },
  async read(category, root) {
    requireCategory(tsbAd, category, root);
    const folder = join(root, 'tsb_ad');
    const path = filesAt(root).get(category);
    const [name, from] = Object.entries(rebuilt).find(([file]) => file.startsWith(`${category}_`)) ?? [];
    const isThere = from !== undefined && sourceOf(from, root) !== undefined;
    if (path === undefined && !isThere) {
      throw absentData(
        `tsb-ad/${category}`,
        name ? `${name}.csv` : `a file that begins with ${category}_`,
        [folder],
        tsbAd.origin,
      );
    }
    const series = path === undefined ? await rebuild(name!, from!, root) : await readTsbAd(path);
    return { series: [series], title: `${tsbAd.title}: ${series.id}`, licence: tsbAd.licence };
  },
};

/** Paths of the files by category. */
function filesAt(root: string): Map<string, string> {
  const folder = join(root, 'tsb_ad');
  const found = fileNames(folder).flatMap((name) => {
    const number = shape.exec(name)?.[1];
    const path = number === undefined ? undefined : findFiles([folder], [name])?.[0];
    return path === undefined ? [] : [[columnsIn(path) > 2 ? `${number}-M` : number!, path] as const];
  });
  return new Map(found);
}

/** Columns that the first line of a file names, by a glance at it. */
function columnsIn(path: string): number {
  const file = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(2 ** 16);
    const part = bytes.subarray(0, readSync(file, bytes));
    // A cut stream of gzip still gives its begin.
    const text = path.endsWith('.gz') ? gunzipSync(part, { finishFlush: 2 }) : part;
    return new TextDecoder().decode(text).split('\n', 1)[0].split(',').length;
  } catch {
    return 0;
  } finally {
    closeSync(file);
  }
}

/** The file that another is made from, where it is on this machine. */
function sourceOf(from: (typeof rebuilt)[string], root: string): string | undefined {
  if ('ucr' in from) return findFiles([join(root, 'ucr_anomaly')], [`${from.ucr}.txt`])?.[0];
  const top = join(root, 'nab', 'data');
  const folders = fileNames(top).map((folder) => join(top, folder));
  return findFiles(folders, [`${from.nab}.csv`])?.[0];
}

async function rebuild(name: string, from: (typeof rebuilt)[string], root: string): Promise<Series> {
  const train = Number(/_tr_(\d+)_/.exec(name)?.[1]);
  if ('ucr' in from) return { ...(await readUcr(sourceOf(from, root)!)), id: name, channels: ['Data'], train };
  const { windows, written, values, rows } = await readNabFile(from.nab, root);
  const steps = values.length - 1;
  // Places of the windows in NAB's file, not moved by the row that is left out; the last is not in them.
  const intervals = windows.map(([first, last]) => [written.indexOf(first), behind(written, last) - 1] as const);
  return {
    ...{ id: name, channels: ['Data'], values: values.slice(1), ...(rows && { rows: rows.slice(1) }) },
    labels: labelsIn(steps, intervals, name),
    train: requireTrain(steps, train, name),
  };
}

export const isTsbAdName = (path: string): boolean => shape.test(basename(path));

/**
 * Reads a file by its name: the last column holds the labels, the others are channels.
 * @throws DataError `not-numbers`, `train-end`, `missing-column`.
 */
export async function readTsbAd(path: string): Promise<Series> {
  const id = basename(path).replace(/\.csv(\.gz)?$/, '');
  const { heads } = await openRows(path);
  const label = heads.find((name) => /^label$/i.test(name)) ?? 'Label';
  const { written: _, ...series } = await readColumns(path, id, { label });
  if (series.channels.length === 0) {
    throw new DataError('missing-column', `${path} must have a column of values beside ${label}. Fetch it again.`);
  }
  return { ...series, train: requireTrain(stepsOf(series), Number(shape.exec(basename(path))?.[3]), basename(path)) };
}
