/**
 * What the documents promise: their code blocks run, the examples run, their links lead somewhere. A block is executed
 * when its fence says so, ```ts run``` or ```sh run```, and written to a file when it names one, ```js file=mine.mjs```.
 * Everything runs as in a user's project, in an empty folder whose node_modules holds this package.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const documents = [
  'README.md',
  'CHANGELOG.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
];
const examples = readdirSync(join(root, 'examples')).filter((file) => file.endsWith('.mjs'));

interface Block {
  readonly document: string;
  readonly line: number;
  readonly language: 'ts' | 'sh' | 'js';
  /** Where the block is written, for blocks that name a file. */
  readonly file?: string;
  readonly code: string;
}

/** The blocks of a document that are to be executed or written. */
function blocksOf(document: string): Block[] {
  const text = readFileSync(join(root, document), 'utf8');
  return [...text.matchAll(/^```(?:(ts|sh) run|(js) file=(\S+))\n([\s\S]*?)^```$/gm)].map((match) => ({
    document,
    line: text.slice(0, match.index).split('\n').length,
    language: (match[1] ?? match[2]) as Block['language'],
    file: match[3],
    code: match[4],
  }));
}

/** A project of somebody else. */
let project: string;

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'oddity-docs-'));
  mkdirSync(join(project, 'node_modules', '.bin'), { recursive: true });
  writeFileSync(join(project, 'package.json'), '{ "name": "somebody", "private": true, "type": "module" }\n');
  symlinkSync(root, join(project, 'node_modules', 'oddity'));
  symlinkSync(join(root, 'dist', 'cli', 'main.js'), join(project, 'node_modules', '.bin', 'oddity'));
  for (const name of ['onnxruntime-node', 'onnxruntime-common', 'zod', '@types', 'undici-types']) {
    const there = join(root, 'node_modules', name);
    if (existsSync(there)) symlinkSync(there, join(project, 'node_modules', name));
  }
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

/** Type-checks a TypeScript file of the project as its author would, and compiles it. */
function compile(file: string): void {
  const flags = ['--module', 'nodenext', '--target', 'es2022', '--strict', '--skipLibCheck', '--types', 'node'];
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status, stdout } = spawnSync(process.execPath, [tsc, ...flags, file], { cwd: project, encoding: 'utf8' });
  expect(status, stdout).toBe(0);
}

/** Runs a program in the project and returns what it printed; its failure shows both streams. */
function execute(command: string, args: readonly string[]): string {
  const env = { ...process.env, PATH: `${join(project, 'node_modules', '.bin')}:${process.env.PATH}` };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: project, env, encoding: 'utf8' });
  expect(status, `${stdout}\n${stderr}`).toBe(0);
  return stdout;
}

describe('the README', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');

  it('leads to every guide', () => {
    const guides = documents.filter((document) => document.startsWith('docs'));
    expect(guides.filter((guide) => !readme.includes(`(${guide})`))).toEqual([]);
  });

  it('lists every command', async () => {
    const { commands } = await import('../dist/cli/commands.js');
    const names = commands.map(({ name }) => name);
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !new RegExp(`^\\| \`oddity ${name}\\b`, 'm').test(readme))).toEqual([]);
  });
});

describe('code blocks', () => {
  const blocks = documents.flatMap(blocksOf);

  it('there are some in the README', () => {
    expect(blocks.filter((b) => b.document === 'README.md' && b.language === 'ts').length).toBeGreaterThan(0);
    expect(blocks.filter((b) => b.document === 'README.md' && b.language === 'sh').length).toBeGreaterThan(0);
  });

  // In order and in one folder: later blocks of a document use what earlier ones made.
  for (const { document, line, language, file, code } of blocks) {
    it(`${document}:${line} (${file ?? language})`, () => {
      if (file) writeFileSync(join(project, file), code);
      else if (language === 'sh') {
        execute('bash', ['-euo', 'pipefail', '-c', code.replaceAll('npx oddity', 'oddity')]);
      } else {
        writeFileSync(join(project, 'block.ts'), code);
        compile('block.ts');
        execute(process.execPath, ['block.js']);
      }
    });
  }
});

describe('examples', () => {
  it('there are some', () => expect(examples.length).toBeGreaterThanOrEqual(3));

  for (const file of examples) {
    it(`${file} runs, is typed and short`, () => {
      const text = readFileSync(join(root, 'examples', file), 'utf8');
      expect(text.split('\n').length).toBeLessThan(60);
      copyFileSync(join(root, 'examples', file), join(project, file));
      expect(execute(process.execPath, [file]).trim()).not.toBe('');
      const flags = [
        '--allowJs',
        '--checkJs',
        '--noEmit',
        '--module',
        'nodenext',
        '--target',
        'es2022',
        '--skipLibCheck',
      ];
      const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
      const types = spawnSync(process.execPath, [tsc, ...flags, '--types', 'node', '--strict', file], {
        cwd: project,
        encoding: 'utf8',
      });
      expect(types.status, types.stdout).toBe(0);
    });
  }
});

describe('links', () => {
  for (const document of documents) {
    it(`${document} has no dead one`, () => {
      const text = readFileSync(join(root, document), 'utf8').replace(/```[\s\S]*?```/g, '');
      const dead = [...text.matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)]
        .map((match) => match[1])
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => {
          const [path, anchor] = target.split('#');
          const file = path === '' ? join(root, document) : join(root, dirname(document), path);
          if (!existsSync(file)) return true;
          return anchor !== undefined && !anchorsOf(readFileSync(file, 'utf8')).includes(anchor);
        });
      expect(dead).toEqual([]);
    });
  }

  it('every source file that a document names exists', () => {
    const named = documents
      .filter((document) => document !== 'CHANGELOG.md')
      .flatMap((document) =>
        [
          ...readFileSync(join(root, document), 'utf8').matchAll(
            /`((?:src|test|bench|scripts|examples|docs)\/[\w./-]+)`/g,
          ),
        ].map((match) => match[1]),
      );
    expect([...new Set(named)].filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it('tracked text names no machine', () => {
    const tracked = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md', '*.ts', '*.mjs', '*.json'], {
      cwd: root,
      encoding: 'utf8',
    });
    const paths = tracked
      .split('\n')
      .filter((path) => path !== '' && path !== relative(root, fileURLToPath(import.meta.url)));
    const wrong = paths.filter(
      (path) =>
        existsSync(join(root, path)) && /\/home\/\w|\/work\/|\/root\//.test(readFileSync(join(root, path), 'utf8')),
    );
    expect(wrong).toEqual([]);
  });
});

/** Anchors of the headings of a document, as GitHub makes them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map((match) =>
    match[1]
      .toLowerCase()
      .replace(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  );
}
