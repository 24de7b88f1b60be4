/** Which oddity, Node and ONNX Runtime made a result. Node only. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { release, type } from 'node:os';
import { dirname, join } from 'node:path';
import { version } from '../core/version.ts';
import type { Versions } from '../engine/judging/report-types.ts';
import type { Device } from '../runtime/index.ts';

/** The version of this package. */
export function oddityVersion(): string {
  return version;
}

/** Versions of everything that a result on `device` depends on. */
export function versionsOf(device: Device): Versions {
  const name = device === 'wasm' ? 'onnxruntime-web' : 'onnxruntime-node';
  const runtime = device === 'reference' ? 'oddity reference' : `${name} ${packageVersion(name) ?? 'unknown'}`;
  return { oddity: oddityVersion(), node: process.version, runtime, os: `${type()} ${release()} ${process.arch}` };
}

/** The version in a package's package.json, which its `exports` may hide from `require`. */
function packageVersion(name: string): string | undefined {
  try {
    let folder = dirname(createRequire(import.meta.url).resolve(name));
    while (folder !== dirname(folder)) {
      const file = join(folder, 'package.json');
      if (existsSync(file)) {
        const found = JSON.parse(readFileSync(file, 'utf8')) as { name?: string; version?: string };
        if (found.name === name) return found.version;
      }
      folder = dirname(folder);
    }
  } catch {
    // Not installed.
  }
  return undefined;
}
