/** The debug dial of a run: timings from 1, graphs as text from 2, as ONNX files from 3. Node only. */
import { join } from 'node:path';
import type { Listener } from '../core/events.ts';
import { check } from '../graph/check.ts';
import { emitProgram } from '../graph/emit.ts';
import { encodeModel } from '../graph/onnx/write.ts';
import type { Program } from '../graph/program.ts';
import { describe, topological } from '../graph/value.ts';
import type { Device } from '../runtime/index.ts';
import { makeFolder, writeAtomic } from './files.ts';

export interface DebugDial {
  /** Does some work and tells how long it took. */
  timed<T>(what: string, work: () => Promise<T>): Promise<{ value: T; seconds: number }>;
  /** Keeps a graph in the debug folder; one that is illegal is a warning. */
  inspect(program: Program, device: Device): Promise<void>;
}

/** Opens the dial of a level, 0 … 3, with the folder in which graphs are kept. */
export function debugDial(level: number, folder: string, onEvent: Listener): DebugDial {
  const told = (message: string) => onEvent({ type: 'log', level: 'debug', message });
  return {
    async timed(what, work) {
      const begin = performance.now();
      const value = await work();
      const seconds = (performance.now() - begin) / 1000;
      if (level > 0) told(`${what}: ${seconds.toFixed(3)} s`);
      return { value, seconds };
    },
    async inspect(program, device) {
      if (level < 2) return;
      for (const message of check(program)) onEvent({ type: 'warning', code: 'illegal-graph', message });
      await makeFolder(folder);
      const nodes = topological(Object.values(program.outputs));
      await writeAtomic(
        join(folder, `${program.name}.txt`),
        `${nodes.map((n) => describe(n.outputs[0])).join('\n')}\n`,
      );
      told(`${program.name}: ${nodes.length} nodes, see ${folder}.`);
      if (level < 3) return;
      await writeAtomic(join(folder, `${program.name}.onnx`), encodeModel(emitProgram(program, device)).model);
    },
  };
}
