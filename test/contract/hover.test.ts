/** What an editor shows a user of the package who points at a model or at one of its options: the compiler is asked. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { modelOptions } from '../../dist/cli/schema.js';
import * as all from '../../dist/models/all.js';
import type { AnyModel } from '../../dist/models/index.js';

const dist = fileURLToPath(new URL('../../dist', import.meta.url));
const models = Object.entries(all) as [string, AnyModel][];

/** A user's file: a variable with the options of each model by name, and of a model value. */
const user = join(dist, 'user.ts');
const text = [
  `import { type ConfigOf, ${models.map(([name]) => name).join(', ')} } from './models/index.js';`,
  ...models.map(([name, model]) => `export const by_${name}: ConfigOf<'${model.name}'> = {};`),
  ...models.map(([name]) => `export const of_${name}: ConfigOf<typeof ${name}> = {};`),
  'export const given: ConfigOf<typeof knn> = { neighbours: 3 };',
].join('\n');

const options: ts.CompilerOptions = {
  ...{ strict: true, noEmit: true, skipLibCheck: true, types: [] },
  ...{
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
  },
};
const service = ts.createLanguageService({
  useCaseSensitiveFileNames: () => ts.sys.useCaseSensitiveFileNames,
  getCurrentDirectory: () => dist,
  readFile: ts.sys.readFile,
  directoryExists: ts.sys.directoryExists,
  getCompilationSettings: () => options,
  getScriptFileNames: () => [user],
  getScriptVersion: () => '1',
  getScriptSnapshot: (path) => {
    const content = path === user ? text : ts.sys.readFile(path);
    return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content);
  },
  fileExists: (path) => path === user || ts.sys.fileExists(path),
  getDefaultLibFileName: ts.getDefaultLibFilePath,
});
const program = service.getProgram()!;
const checker = program.getTypeChecker();
const source = program.getSourceFile(user)!;
const exportsOf = (file: ts.SourceFile) =>
  new Map(checker.getExportsOfModule(checker.getSymbolAtLocation(file)!).map((symbol) => [symbol.name, symbol]));
const exported = exportsOf(source);
const listed = exportsOf(program.getSourceFile(join(dist, 'models', 'all.d.ts'))!);

const commentOf = (symbol: ts.Symbol) => ts.displayPartsToString(symbol.getDocumentationComment(checker));
const defaultOf = (symbol: ts.Symbol) =>
  ts.displayPartsToString(symbol.getJsDocTags(checker).find((tag) => tag.name === 'default')?.text);

it('compiles what a user writes', () => {
  expect(
    program.getSemanticDiagnostics(source).map((d) => ts.flattenDiagnosticMessageText(d.messageText, '\n')),
  ).toEqual([]);
});

describe.each(models)('%s', (name, model) => {
  it('has a comment of its own', () => {
    expect(commentOf(checker.getAliasedSymbol(listed.get(name)!)).length).toBeGreaterThan(60);
  });

  it.each(['by', 'of'])('shows the description and the default of every option (%s)', (kind) => {
    const type = checker.getTypeOfSymbol(exported.get(`${kind}_${name}`)!);
    const shown = checker.getPropertiesOfType(type).map((s) => [s.name, commentOf(s), defaultOf(s)]);
    const numbers = (range: string, { choices, type }: { choices?: unknown; type: string }) =>
      choices || type === 'boolean' || range === '' ? '' : ` Range: ${range}.`;
    const wanted = modelOptions(model).map((o) => [
      o.key,
      `${o.description}${numbers(o.range, o)}`,
      JSON.stringify(o.default),
    ]);
    expect(shown.sort()).toEqual(wanted.sort());
    expect(wanted.every(([, description]) => description.length > 10)).toBe(true);
  });
});

it('shows it where an option is written', () => {
  const info = service.getQuickInfoAtPosition(user, text.indexOf('neighbours'))!;
  expect(ts.displayPartsToString(info.documentation)).toContain('Range: 1 … 1000.');
});
