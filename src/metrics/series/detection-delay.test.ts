import { expect, test } from 'vitest';
import { labelsAt } from '../../../test/helpers/golden-series.ts';
import { detectionDelay } from './detection-delay.ts';

const labels = labelsAt(20, [0, 3], [8, 10], [17, 19]);

test('steps from the begin of a segment to its first alarm, over those found', () => {
  const alarms = labelsAt(20, [2, 5], [7, 7], [17, 17]);
  expect(detectionDelay(alarms, labels, 1)).toEqual({ delays: [2, null, 0], mean: 1, found: 2 / 3 });
  expect(detectionDelay(labels, labels, 1)).toEqual({ delays: [0, 0, 0], mean: 0, found: 1 });
});

test('none found has no mean; one label only is undefined', () => {
  expect(detectionDelay(labels, labels, 2)).toEqual({ delays: [null, null, null], mean: null, found: 0 });
  expect(detectionDelay([1, 2], [0, 0], 1)).toBeNull();
});
