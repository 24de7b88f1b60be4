/** The share of anomalous items: no metric of a detector, but what precision and average precision are read against. */
import { defineMetric } from './define.ts';

/** Share of anomalous items in a test part. */
export const itemPrevalence = defineMetric({
  name: 'prevalence',
  level: 'item',
  title: 'prevalence',
  meaning: 'share of anomalous items in the test part',
  range: [0, 1],
  better: 'neither',
  isOrdinal: true,
  compute({ labels }) {
    if (labels.length === 0) return { reason: 'There are no items.' };
    let anomalies = 0;
    for (let i = 0; i < labels.length; i++) anomalies += labels[i];
    return anomalies / labels.length;
  },
});
