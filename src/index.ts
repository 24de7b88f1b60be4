/** oddity: anomaly detection in TypeScript. The public face: re-exports only. */
export * from './core/errors.ts';
export type { Event, Listener } from './core/events.ts';
export * from './models/index.ts';
export * from './runs/index.ts';
export { type Device, type DeviceStatus, deviceNames, listDevices } from './runtime/index.ts';
