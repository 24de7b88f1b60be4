/** The layers of docs/architecture.md, read from the import statements: imports go down, never up and never sideways. */
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

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
  backbones: 3,
  models: 4,
  engine: 5,
  report: 6,
  runs: 7,
  bench: 8,
  jobs: 8,
  server: 9,
  cli: 9,
};

/** Files directly in src: entries that only re-export. */
const top = 10;

/** Rooms that run in a page as well as in Node, and the files among them that do not. */
const anywhere = /^src\/(core|graph|nn|metrics|models|backbones|runtime|data|engine)\//;
const needsNode = /^src\/(data\/(files\/|index)|backbones\/load|runtime\/(index|ort|worker))/;
const isPure = (file: string) => anywhere.test(file) && !needsNode.test(file);

/** Packages that only Node has. */
const nodeOnly = new Set([...builtinModules, 'sharp', 'onnxruntime-node', 'h5wasm', 'csv-parse', 'commander']);

interface Import {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  readonly target: string;
  readonly isType: boolean;
}

/** Sources without tests, as paths from the root with forward slashes. */
const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .map((file) => join('src', file).replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));

/** `import … from '…'`, `export … from '…'`, `import('…')`, `new URL('./….js', import.meta.url)`. */
const pattern =
  /(?:^|\n)\s*(import|export)\s+(type\s)?[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|(?<!typeof )\bimport\s*\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import\s*['"]([^'"]+)['"]/g;

/** The text of a file with block comments and comment lines blanked. */
const code = (file: string) =>
  readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\s\/\/ .*/g, (comment) =>
    comment.replace(/[^\n]/g, ' '),
  );

function importsOf(file: string): Import[] {
  const text = code(file);
  return [...text.matchAll(pattern)].map((match) => {
    const target = match[3] ?? match[4] ?? match[5];
    const line = text.slice(0, match.index + match[0].length).split('\n').length;
    return { file, line, text: match[0].trim().replace(/\s+/g, ' '), target, isType: match[2] !== undefined };
  });
}

const imports = files.flatMap(importsOf);
const show = ({ file, line, text }: Import, why: string) => `${file}:${line}: ${why}\n    ${text}`;

/** The path from the root of what a relative import names. */
const resolved = ({ file, target }: Import) => relative(root, join(root, dirname(file), target)).replaceAll('\\', '/');

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

describe('architecture', () => {
  it('every room of src has a layer', () => {
    const rooms = [...new Set(files.map(roomOf))].filter((room) => room !== '');
    expect(rooms.filter((room) => layers[room] === undefined)).toEqual([]);
    expect(imports.length).toBeGreaterThan(100);
  });

  it('imports go down', () => {
    const wrong = imports.flatMap((i) => {
      if (!i.target.startsWith('.')) return [];
      const path = resolved(i);
      if (!path.startsWith('src/')) return path === 'package.json' ? [] : [show(i, 'leaves src')];
      const [from, to] = [roomOf(i.file), roomOf(path)];
      if (from === to) return [];
      if (to === '') return [show(i, `${from} must not import an entry of the package`)];
      if (layerOf(to) < layerOf(from)) return [];
      return [show(i, `${from} (layer ${layerOf(from)}) must not import ${to} (layer ${layerOf(to)})`)];
    });
    expect(wrong).toEqual([]);
  });

  it('data and metrics know the core only, nn the graph, and platform is used by its types', () => {
    const wrong = imports.flatMap((i) => {
      if (!i.target.startsWith('.')) return [];
      const [from, to] = [roomOf(i.file), roomOf(resolved(i))];
      const platform = to === 'platform' && from !== 'platform';
      if (platform && !i.isType && layerOf(from) < 5) return [show(i, 'platform may be imported as a type only')];
      const coreOnly = ['data', 'metrics', 'graph'].includes(from);
      if (coreOnly && to !== from && to !== 'core' && !platform) return [show(i, `${from} must not know ${to}`)];
      return [];
    });
    expect(wrong).toEqual([]);
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
    const wrong = files
      .filter((file) => !['cli', 'server'].includes(roomOf(file)))
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
