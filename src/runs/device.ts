/** Which device a run uses: the one asked for, or the one that was measured to be fastest. Node only. */
import { existsSync } from 'node:fs';
import { RuntimeUnavailable, unknownName } from '../core/errors.ts';
import type { Listener } from '../core/events.ts';
import { chooseDevice, type Device, deviceNames, openRuntime, type Runtime } from '../runtime/index.ts';

export interface DeviceOptions {
  threads?: number;
  onEvent?: Listener;
}

/** A device that needs more than this many times the processor's time is not waited for. */
const PATIENCE = 4;
const LEAST_MS = 2000;

/** Throws ConfigError `unknown-device`, offering the nearest name. */
export function checkDevice(device: string): void {
  const known: string[] = ['auto', ...deviceNames];
  if (!known.includes(device)) throw unknownName('device', device, known, 'device');
}

/**
 * Opens a device. With `auto` and work to measure, `trial` runs on the processor and on every graphics device that this
 * machine may have, and the fastest wins; without, `auto` is the processor.
 */
export async function openDevice(
  wanted: Device | 'auto',
  options: DeviceOptions,
  trial?: (runtime: Runtime) => Promise<void>,
): Promise<Runtime> {
  const graphics = wanted === 'auto' && trial ? await present(graphicsDevices(), options) : [];
  if (!trial || graphics.length === 0) return openRuntime(wanted, options);
  let limit = Number.POSITIVE_INFINITY;
  const timed = async (runtime: Runtime) => {
    const begin = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const slow = new Promise<never>((_, reject) => {
      if (limit < Number.POSITIVE_INFINITY)
        timer = setTimeout(() => reject(new RuntimeUnavailable('slow', 'Slower than the processor.')), limit);
    });
    try {
      await Promise.race([trial(runtime), slow]);
    } finally {
      clearTimeout(timer);
    }
    // The first trial, which compiles, is the processor's: the list below begins with it.
    if (runtime.device === 'cpu' && limit === Number.POSITIVE_INFINITY)
      limit = Math.max(LEAST_MS, PATIENCE * (performance.now() - begin));
  };
  const { device, timings } = await chooseDevice(['cpu', ...graphics], timed, { threads: options.threads });
  const told = Object.entries(timings).map(([name, t]) => `${name} ${t.milliseconds?.toFixed(1) ?? `— ${t.reason}`}`);
  options.onEvent?.({
    type: 'log',
    level: 'info',
    message: `Device auto: ${device} is fastest (milliseconds: ${told.join(', ')}).`,
  });
  return openRuntime(device, options);
}

/** Devices beside the processor that a machine like this may have; looking costs nothing. */
function graphicsDevices(): Device[] {
  if (process.platform === 'darwin') return ['coreml', 'webgpu'];
  if (process.platform === 'win32') return ['dml', 'webgpu'];
  const nvidia = existsSync('/dev/nvidiactl');
  const list: Device[] = nvidia ? ['cuda'] : [];
  if (nvidia || existsSync('/dev/dri') || process.env.VK_ICD_FILENAMES) list.push('webgpu');
  return list;
}

async function present(devices: readonly Device[], options: DeviceOptions): Promise<Device[]> {
  const found: Device[] = [];
  for (const device of devices) {
    try {
      const runtime = await openRuntime(device, options);
      await runtime.close();
      found.push(device);
    } catch {
      // Absent: nothing to say, nobody asked for it by name.
    }
  }
  return found;
}
