/**
 * The ways in which a data set becomes an anomaly task: those of the literature for data sets of classes, and those for
 * folders that say themselves what is normal. Numbers of different protocols must never be compared: they differ in
 * what is normal, in the training data and in the share of anomalies.
 */
import { unknownName } from '../../core/errors.ts';
import { alad, oneAnomaly, oneClass } from './classes.ts';
import { folder, labelled } from './folders.ts';
import { arrhythmia, arrhythmiaPublic, half, kdd } from './halves.ts';
import { imbalance } from './imbalance.ts';
import { otherSeries, prefix } from './prefix.ts';
import type { Protocol } from './protocol.ts';
import { whole } from './whole.ts';

export { missingClass, type Protocol, type ProtocolOptions, resolveClass } from './protocol.ts';

/** All protocols. */
export const protocols: readonly Protocol[] = [
  oneClass,
  oneAnomaly,
  alad,
  folder,
  labelled,
  prefix,
  whole,
  otherSeries,
  imbalance,
  half,
  kdd,
  arrhythmia,
  arrhythmiaPublic,
];

/** The protocol of a name or an alias; throws ConfigError `unknown-protocol`, offering the nearest name. */
export function findProtocol(name: string): Protocol {
  const found = protocols.find((p) => p.name === name || p.aliases?.includes(name));
  if (found) return found;
  throw unknownName(
    'protocol',
    name,
    protocols.flatMap((p) => [p.name, ...(p.aliases ?? [])]),
    'protocol',
  );
}
