/** The layers of docs/architecture.md, read from the import statements: imports go down, never up and never sideways. */
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  circlesOf,
  functionsOf,
  type Import,
  importsOf,
  resolved,
  type SourceFile,
  show,
} from './helpers/source-files.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const src = join(root, 'src');

/** The layer of each room of src; a new room needs its line here. */
const layers: Readonly<Record<string, number>> = {
  core: 0,
  platform: 1,
  graph: 1,
  nn: 2,
  runtime: 2,
  data: 2,
  metrics: 2,
  kinds: 3,
  backbones: 3,
  models: 4,
  streaming: 4,
  engine: 5,
  testing: 8,
  report: 6,
  runs: 7,
  browser: 7,
  bench: 8,
  jobs: 8,
  watch: 8,
  server: 9,
  sweeps: 9,
  studio: 10,
  client: 11,
  cli: 11,
};

/** Files directly in src: entries that only re-export. */
const top = 12;

/** Rooms that run in a page as well as in Node, and the files among them that do not. */
const anywhere =
  /^src\/(core|graph|nn|metrics|models|backbones|runtime|data|streaming|engine|kinds|report|browser|client)\//;
const needsNode = /^src\/(data\/(files\/|index)|backbones\/load|runtime\/(index|ort|worker))/;
const isPure = (file: string) => anywhere.test(file) && !needsNode.test(file);

/** Packages that only Node has. */
const nodeOnly = new Set([
  ...builtinModules,
  'sharp',
  'onnxruntime-node',
  'h5wasm',
  'csv-parse',
  'commander',
  'libsql',
]);

/** Sources without tests. */
const sources: readonly SourceFile[] = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .map((file) => join('src', file).replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
const files = sources.map(({ path }) => path);
const imports = sources.flatMap(importsOf);

/** The text of a file with block comments and comment lines blanked. */
const code = (file: string) =>
  readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\s\/\/ .*/g, (comment) =>
    comment.replace(/[^\n]/g, ' '),
  );

/** The shortest way by imports of values from a file to a module that only Node has; none for a file that runs in a page. */
function pathToNode(from: string): string[] | undefined {
  const ways = new Map([[from, [from]]]);
  for (const [file, way] of ways) {
    for (const i of imports) {
      if (i.file !== file || i.isType) continue;
      if (!i.target.startsWith('.')) {
        const name = i.target.replace(/^node:/, '').split('/')[0];
        if (i.target.startsWith('node:') || nodeOnly.has(name)) return [...way, `${i.target} (line ${i.line})`];
        continue;
      }
      const to = resolved(i);
      if (!ways.has(to)) ways.set(to, [...way, to]);
    }
  }
  return undefined;
}

/** `graph` for `src/graph/ops/conv.ts`; empty for a file directly in src. */
function roomOf(path: string): string {
  const parts = path.split('/');
  return parts.length > 2 ? parts[1] : '';
}

const layerOf = (room: string) => (room === '' ? top : layers[room]);

/** What is wrong with an import that does not go down. */
function upward(i: Import): string[] {
  if (!i.target.startsWith('.')) return [];
  const path = resolved(i);
  if (!path.startsWith('src/')) return path === 'package.json' ? [] : [show(i, 'leaves src')];
  const [from, to] = [roomOf(i.file), roomOf(path)];
  if (from === to) return [];
  if (to === '') return [show(i, `${from} must not import an entry of the package`)];
  if (layerOf(to) < layerOf(from)) return [];
  return [show(i, `${from} (layer ${layerOf(from)}) must not import ${to} (layer ${layerOf(to)})`)];
}

/** What is wrong with an import that goes down, into a room that its own should not know. */
function stranger(i: Import): string[] {
  if (!i.target.startsWith('.')) return [];
  const [from, to] = [roomOf(i.file), roomOf(resolved(i))];
  const platform = to === 'platform' && from !== 'platform';
  if (platform && !i.isType && layerOf(from) < 5) return [show(i, 'platform may be imported as a type only')];
  const coreOnly = ['data', 'metrics', 'graph'].includes(from);
  return coreOnly && to !== from && to !== 'core' && !platform ? [show(i, `${from} must not know ${to}`)] : [];
}

/** Files of more than 450 lines that are tables: their heads say why they are read whole. */
const longTables = ['src/runs/options.ts'];

describe('architecture', () => {
  it('every room of src has a layer', () => {
    const rooms = [...new Set(files.map(roomOf))].filter((room) => room !== '');
    expect(rooms.filter((room) => layers[room] === undefined)).toEqual([]);
    expect(imports.length).toBeGreaterThan(100);
  });

  it('imports go down', () => {
    expect(imports.flatMap(upward)).toEqual([]);
  });

  it('catches a planted import with its file and line', () => {
    const planted = (path: string, ...lines: string[]) => importsOf({ path, text: lines.join('\n') });
    const wrong = planted(
      'src/nn/planted.ts',
      "import { show } from '../core/shape.ts';",
      'import {',
      '  train,',
      "} from '../runs/train.ts';",
      "export type { Model } from '../models/define.ts';",
      "const later = () => import('../runtime/index.ts');",
      "import { Trace } from './scope.ts';",
    ).flatMap(upward);
    expect(wrong).toEqual([
      `src/nn/planted.ts:2: nn (layer 2) must not import runs (layer ${layers.runs})\n    import { train, } from '../runs/train.ts';`,
      `src/nn/planted.ts:5: nn (layer 2) must not import models (layer ${layers.models})\n    export type { Model } from '../models/define.ts';`,
      `src/nn/planted.ts:6: nn (layer 2) must not import runtime (layer 2)\n    import('../runtime/index.ts')`,
    ]);
    expect(planted('src/metrics/planted.ts', '', "import * as g from '../graph/index.ts';").flatMap(stranger)).toEqual([
      "src/metrics/planted.ts:2: metrics must not know graph\n    import * as g from '../graph/index.ts';",
    ]);
  });

  it('no values flow in a circle, but between operators whose gradients are made of one another', () => {
    expect(circlesOf(imports)).toEqual([
      ['src/graph/ops/elementwise.ts', 'src/graph/ops/movement.ts', 'src/graph/ops/reduce.ts'],
    ]);
  });

  it('catches a planted circle of values, and lets one of types be', () => {
    const circle = (kind: string) =>
      circlesOf([
        ...importsOf({ path: 'src/data/a.ts', text: "import { b } from './b.ts';" }),
        ...importsOf({ path: 'src/data/b.ts', text: "export { c } from './deep/c.ts';" }),
        ...importsOf({ path: 'src/data/deep/c.ts', text: `import ${kind} { a } from '../a.ts';` }),
      ]);
    expect(circle('')).toEqual([['src/data/a.ts', 'src/data/b.ts', 'src/data/deep/c.ts']]);
    expect(circle('type')).toEqual([]);
  });

  it('no file has more than 450 lines and no function more than 100', () => {
    const long = sources.flatMap((file) => {
      const lines = file.text.split('\n').length - 1;
      const functions = functionsOf(file).filter((one) => one.lines > 100);
      return [...(lines > 450 ? [file.path] : []), ...functions.map(({ name }) => `${file.path} ${name}`)];
    });
    expect(long.sort()).toEqual(longTables);
  });

  it('counts the lines of a planted function, without its comment', () => {
    const text = `/**\n * Adds.\n */\nconst add = (a: number) => {\n  return {\n    plus(b: number) {\n      return a + b;\n    },\n  };\n};`;
    const lengths = functionsOf({ path: 'src/core/planted.ts', text }).map(({ name, lines }) => [name, lines]);
    expect(lengths).toEqual([
      ['add', 7],
      ['plus', 3],
    ]);
  });

  it('data and metrics know the core only, nn the graph, and platform is used by its types', () => {
    expect(imports.flatMap(stranger)).toEqual([]);
  });

  it('models do not import each other', () => {
    const lists = ['src/models/all.ts', 'src/models/index.ts'];
    const shared = /^src\/models\/(define\.ts|parts\/.*)$/;
    const wrong = imports.flatMap((i) => {
      if (roomOf(i.file) !== 'models' || !i.target.startsWith('.') || lists.includes(i.file)) return [];
      const path = resolved(i);
      const isModel = path.startsWith('src/models/') && !shared.test(path);
      return isModel ? [show(i, 'a model must not import another model')] : [];
    });
    expect(wrong).toEqual([]);
  });

  it('every model is in models/all.ts, and listed', async () => {
    const { models } = await import('../src/models/index.ts');
    const modelFiles = files.filter((f) => /^src\/models\/[^/]+\.ts$/.test(f) && !/\/(define|all|index)\.ts$/.test(f));
    const all = readFileSync(join(src, 'models', 'all.ts'), 'utf8');
    const missing = modelFiles.filter((f) => !all.includes(`from './${f.slice('src/models/'.length)}'`));
    expect(missing).toEqual([]);
    expect(models.map((m) => m.name).sort()).toEqual(modelFiles.map((f) => f.slice('src/models/'.length, -3)).sort());
  });

  it('what runs in a page loads nothing of Node', () => {
    const modules = files.filter(isPure);
    expect(modules.length).toBeGreaterThan(100);
    // The last file of a way that should run in a page is the one to blame; it stands first in its own way.
    const ways = modules.map(pathToNode).filter((way) => way && !isPure(way[1]));
    expect(ways.map((way) => way?.join('\n    -> '))).toEqual([]);
    const uses = modules.flatMap((file) =>
      code(file)
        .split('\n')
        .flatMap((line, n) =>
          /(?<![\w.'"`])(Buffer|process|__dirname|setImmediate)\b\s*[.(]/.test(line)
            ? [`${file}:${n + 1}: ${line.trim()}`]
            : [],
        ),
    );
    expect(uses).toEqual([]);
  });

  it('metrics are known by name in their own files, in benchmarks and where reports of 0.1.0 are read', async () => {
    const { metrics } = await import('../src/metrics/index.ts');
    const words: readonly string[] = ['precision', 'recall', 'f1', 'prevalence']; // which have other meanings too
    const names = [...new Set(metrics.map(({ name }) => name))].filter((name) => !words.includes(name));
    expect(names).toContain('aupro');
    const naming = new RegExp(`\\b(${names.join('|')})\\b`);
    const may =
      /^src\/(metrics\/|bench\/(lists\/\w+|published)\.ts$|runs\/report-file\.ts$|engine\/judging\/planted-check\.ts$)/;
    const withoutComments = (file: string) =>
      readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    const wrong = files.filter((file) => !may.test(file) && naming.test(withoutComments(file)));
    expect(wrong).toEqual([]);
    const mentioning = files.filter((file) => /\baupro\b/.test(readFileSync(join(root, file), 'utf8')));
    expect(mentioning.length, mentioning.join(', ')).toBeLessThanOrEqual(3);
  });

  it('the playground uses the library as any page does: by oddity/browser', () => {
    const folder = join(root, 'web', 'playground');
    const own = readdirSync(folder).filter((name) => /\.tsx?$/.test(name));
    const may = /^(\.\/|preact(\/|$)|@preact\/signals$|oddity\/browser$)/;
    const wrong = own.flatMap((name) =>
      importsOf({ path: `web/playground/${name}`, text: readFileSync(join(folder, name), 'utf8') }).filter(
        ({ target }) => !may.test(target),
      ),
    );
    expect(own.length).toBeGreaterThan(5);
    expect(wrong.map((i) => show(i, 'the playground must not import it'))).toEqual([]);
  });

  it('native packages are loaded in one file each', () => {
    const ort = imports.filter((i) => i.target.startsWith('onnxruntime-') && !i.isType).map((i) => i.file);
    const places = ['src/runtime/browser.ts', 'src/runtime/worker.ts'];
    expect([...new Set(ort)].filter((file) => !places.includes(file))).toEqual([]);
    for (const name of ['onnxruntime-node', 'sharp']) {
      const loading = files.filter((file) =>
        readFileSync(join(root, file), 'utf8')
          .split('\n')
          .some((line) => !/^\s*(\*|\/\/|\/\*)/.test(line) && loads(line, name)),
      );
      expect(loading.length, `${name} is loaded in ${loading.join(', ')}`).toBeLessThanOrEqual(1);
    }
  });

  it('nothing below the command line writes to the console or ends the process', () => {
    // The process of a job is a program of its own.
    const wrong = files
      .filter((file) => !['cli', 'server'].includes(roomOf(file)) && file !== 'src/jobs/worker-main.ts')
      .flatMap((file) =>
        readFileSync(join(root, file), 'utf8')
          .split('\n')
          .flatMap((line, n) =>
            /^\s*(\*|\/\/)/.test(line) || !/\bconsole\.\w+\(|\bprocess\.exit\(/.test(line)
              ? []
              : [`${file}:${n + 1}: ${line.trim()}`],
          ),
      );
    expect(wrong).toEqual([]);
  });
});

describe('the lock file', () => {
  it('names every package of every platform, or npm ci refuses it', () => {
    type Entry = { optionalDependencies?: Record<string, string>; resolved?: string };
    const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, Entry>;
    };
    const missing = Object.entries(packages).flatMap(([name, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (wanted) => !(`${name}/node_modules/${wanted}` in packages) && !(`node_modules/${wanted}` in packages),
      ),
    );
    expect(missing).toEqual([]);
    // An address would tie the lock file to one registry.
    expect(Object.keys(packages).filter((name) => packages[name].resolved)).toEqual([]);
  });
});

/** `import('sharp')`, `from 'sharp'` or a default like `?? 'onnxruntime-node'`: how a package comes to be loaded. */
function loads(line: string, name: string): boolean {
  const ways = [`import('${name}')`, `require('${name}')`, `from '${name}'`, `?? '${name}'`];
  return (
    !line.includes('import type') && !line.includes(`typeof import('${name}')`) && ways.some((w) => line.includes(w))
  );
}
