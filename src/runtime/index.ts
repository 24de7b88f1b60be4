/** Opening devices, listing them, and choosing one by measuring. */
import { errorData, OddityError, RuntimeUnavailable, unknownName } from '../core/errors.ts';
import { type Said, say, type Text } from '../core/text.ts';
import { type OrtOptions, openOrtRuntime } from './ort.ts';
import { openReferenceRuntime } from './reference.ts';
import { type Device, deviceNames, type Runtime } from './runtime.ts';

export { type OrtOptions, openOrtRuntime } from './ort.ts';
export * from './runtime.ts';

/**
 * Opens a device. `auto` is `cpu`, or `wasm` where the native package is absent; whoever has work to measure calls
 * `chooseDevice`. Throws ConfigError for an unknown name and RuntimeUnavailable for a device that is not there.
 * @example const runtime = await openRuntime('auto', { onEvent: console.error });
 */
export async function openRuntime(device: Device | 'auto', options: OrtOptions = {}): Promise<Runtime> {
  if (device === 'auto') return openOrtRuntime('cpu', options);
  if (!deviceNames.includes(device)) throw unknownName('device', device, ['auto', ...deviceNames], 'device');
  return device === 'reference' ? openReferenceRuntime() : openOrtRuntime(device, options);
}

/** A device, whether it can be opened on this machine, and if not, why. */
export interface DeviceStatus {
  device: Device;
  available: boolean;
  /** Why not, and what to do. */
  reason?: string;
  /** The same as data, where it names options. */
  text?: Text;
}

/** Tries every device, one after the other: about a second in all. */
export async function listDevices(options: OrtOptions = {}): Promise<DeviceStatus[]> {
  const list: DeviceStatus[] = [];
  for (const device of deviceNames) {
    try {
      const runtime = await openExactly(device, options);
      await runtime.close();
      list.push({ device, available: true });
    } catch (error) {
      list.push({ device, available: false, ...reasonOf(error) });
    }
  }
  return list;
}

/** Milliseconds of the median trial, or why there is none. */
export interface DeviceTiming {
  milliseconds?: number;
  reason?: string;
  text?: Text;
}

export interface DeviceChoice {
  device: Device;
  timings: Partial<Record<Device, DeviceTiming>>;
}

/** Timed trials per device; one more goes before them to warm up. */
const TRIALS = 3;

/**
 * The device on which `trial` is fastest, by the median of three after a first one. A device that is absent, or on
 * which the trial throws, is passed over with the reason; throws RuntimeUnavailable when none is left.
 */
export async function chooseDevice(
  candidates: readonly Device[],
  trial: (runtime: Runtime) => Promise<void>,
  options: OrtOptions = {},
): Promise<DeviceChoice> {
  const timings: DeviceChoice['timings'] = {};
  let best: Device | undefined;
  for (const device of candidates) {
    try {
      const milliseconds = await timeTrials(device, trial, options);
      timings[device] = { milliseconds };
      if (milliseconds < (best ? timings[best]!.milliseconds! : Number.POSITIVE_INFINITY)) best = device;
    } catch (error) {
      timings[device] = reasonOf(error);
    }
  }
  if (best) return { device: best, timings };
  const reasons = Object.entries(timings).map(([device, { reason = '', text }]) => say` ${device}: ${text ?? reason}`);
  throw new RuntimeUnavailable('no-device', say`No device can do this.${reasons}`);
}

function reasonOf(error: unknown): { reason: string; text?: Text } {
  const { message, text } = error instanceof OddityError ? errorData(error) : { message: (error as Error).message };
  return { reason: message, ...(text && { text }) };
}

async function timeTrials(device: Device, trial: (runtime: Runtime) => Promise<void>, options: OrtOptions) {
  const runtime = await openExactly(device, options);
  try {
    await trial(runtime);
    const times: number[] = [];
    for (let i = 0; i < TRIALS; i++) {
      const begin = performance.now();
      await trial(runtime);
      times.push(performance.now() - begin);
    }
    return times.sort((a, b) => a - b)[TRIALS >> 1];
  } finally {
    await runtime.close();
  }
}

/** Like `openRuntime`, but `cpu` that falls back to `wasm` counts as absent. */
async function openExactly(device: Device, options: OrtOptions): Promise<Runtime> {
  let warning: Said = '';
  const runtime = await openRuntime(device, {
    ...options,
    onEvent: (event) => {
      if (event.type === 'warning') warning = event.text ?? event.message;
    },
  });
  if (runtime.device === device) return runtime;
  await runtime.close();
  throw new RuntimeUnavailable('native-missing', warning);
}
