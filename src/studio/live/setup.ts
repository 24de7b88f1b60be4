/** What a watch of Studio is told: the run, where items come from, and where anomalies go. One schema for the form and the check. */
import * as z from 'zod';

export const watchSetup = z.strictObject({
  run: z.string().min(1).describe('run whose detector scores'),
  source: z
    .enum(['folder', 'camera', 'log'])
    .describe('folder of images, camera or video through ffmpeg, or a CSV file of rows or of a series that grows'),
  place: z.string().min(1).max(1000).describe('path of the folder or file, or address of the camera'),
  fps: z.number().positive().max(120).default(1).describe('frames of a camera that are scored in a second'),
  anomalies: z.string().min(1).optional().describe('folder into which anomalous images are copied'),
  webhook: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('address to which anomalous results are posted'),
  secret: z.string().min(1).optional().describe('text that signs what is posted'),
  mqtt: z
    .string()
    .regex(/^mqtts?:\/\//, 'an address such as mqtt://localhost:1883/line/anomalies')
    .optional()
    .describe('broker and topic of MQTT'),
});

export type WatchSetup = z.output<typeof watchSetup>;

/** Sinks that can be tried by themselves. */
export const sinkSetup = watchSetup.pick({ anomalies: true, webhook: true, secret: true, mqtt: true });
export type SinkSetup = z.output<typeof sinkSetup>;
