// Metrics and a threshold for scores from anywhere: a log file, another tool, a colleague's model.
// Run: node examples/judge-scores.mjs
import { measureItems, thresholdForFalseAlarms } from 'oddity/metrics';

// Larger means more anomalous. Normals around 1, anomalies around 2, overlapping.
const wave = (/** @type {number} */ i) => Math.sin(12.9898 * i) * 0.6;
const normals = Float32Array.from({ length: 400 }, (_, i) => 1 + wave(i));
const anomalies = Float32Array.from({ length: 100 }, (_, i) => 2 + wave(1000 + i));

// The threshold comes from one half of the normals alone; the other half and the anomalies judge it.
const { threshold, interval } = thresholdForFalseAlarms(normals.subarray(0, 200), 0.05);
const scores = Float32Array.from([...normals.subarray(200), ...anomalies]);
const labels = Uint8Array.from(scores, (_, i) => (i < 200 ? 0 : 1));
console.log(measureItems({ scores, labels }).values);

const alarms = scores.filter((score, i) => labels[i] === 0 && score >= (threshold ?? Infinity)).length;
console.log(`threshold ${threshold}: ${alarms} false alarms of 200; wanted 5 %, 95 % interval ${interval}`);
