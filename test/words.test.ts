/**
 * What a lower layer says names options and actions by reference, so that each interface writes them in its own words:
 * no flag and no command stands in a text below the command line, and every reference means something.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../src/cli/program.ts';
import { modelOptions } from '../src/cli/schema.ts';
import { commandWords, flagOf } from '../src/cli/words.ts';
import type { Action } from '../src/core/text.ts';
import { models } from '../src/models/index.ts';

const src = join(dirname(fileURLToPath(import.meta.url)), '..', 'src');

/** Texts that are no sentences for a person: styles of pages, titles, flags of node. */
const exceptions = [
  /^report\/(style|charts)\.ts$/,
  /^report\/page\.ts$/,
  /^(bench|sweeps)\/page\.ts$/,
  /^runtime\/worker\.ts: .*--expose-gc/,
  /^studio\/ship\/snippets\.ts: .*--data-binary/, // to copy into a shell
  /^data\/table\/rows\.ts: \d+: --$/, // a sign for a missing value
];

const program = await createProgram([], () => true);
const commands = program.commands.map((command) => command.name());
const flags = new Set(program.commands.flatMap((command) => command.options.map((o) => o.long)));
const modelKeys = new Set(models.flatMap((model) => modelOptions(model).map((o) => o.key)));

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .map((file) => sourceOf(file, readFileSync(join(src, file), 'utf8')));

interface Source {
  readonly file: string;
  readonly tree: ts.SourceFile;
}

function sourceOf(file: string, text: string): Source {
  return { file, tree: ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true) };
}

function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

const lineOf = (tree: ts.SourceFile, node: ts.Node) => tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;

/** The texts of an expression: `'a'`, `['a', name]`, `isSo ? 'a' : 'b'`. */
function textsOf(node: ts.Node): string[] {
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isConditionalExpression(node)) return [...textsOf(node.whenTrue), ...textsOf(node.whenFalse)];
  if (ts.isArrayLiteralExpression(node)) {
    const names = node.elements.map((e) => (ts.isStringLiteralLike(e) ? e.text : '*'));
    return [names.join('.')];
  }
  return [];
}

interface Named {
  readonly where: string;
  readonly name: string;
}

/** Every option and action that a sentence below the command line refers to. */
function references(): { options: Named[]; actions: Named[] } {
  const [options, actions]: [Named[], Named[]] = [[], []];
  for (const { file, tree } of files) {
    walk(tree, (node) => {
      const where = `${file}:${lineOf(tree, node)}`;
      const add = (list: Named[], from: ts.Node) => list.push(...textsOf(from).map((name) => ({ where, name })));
      if (ts.isCallExpression(node) && node.arguments.length > 0) {
        const called = node.expression.getText(tree);
        if (called === 'option') add(options, node.arguments[0]);
        if (called === 'optionList')
          walk(node.arguments[0], (inner) => ts.isStringLiteral(inner) && add(options, inner));
        if (called === 'action') add(actions, node.arguments[0]);
        if (called === 'unknownName' && node.arguments[3]) add(options, node.arguments[3]);
      } else if (ts.isPropertyAssignment(node) && node.name.getText(tree) === 'option') {
        const { parent } = node.parent;
        const isOfError =
          ts.isNewExpression(parent) ||
          (ts.isCallExpression(parent) && /factsOf$/.test(parent.expression.getText(tree)));
        if (isOfError) add(options, node.initializer);
      }
    });
  }
  return { options, actions };
}

/** Flags and commands in the texts of a file, each with its line; `a template ends in --` counts as a flag. */
function foreignWords({ file, tree }: Source): string[] {
  const command = new RegExp(`(?<![\\w-])--([a-z]|$)|\\boddity (${commands.join('|')})\\b`);
  const found: string[] = [];
  walk(tree, (node) => {
    if (!ts.isStringLiteralLike(node) && !ts.isTemplateHead(node) && !ts.isTemplateMiddleOrTemplateTail(node)) return;
    // The help of a flag is a sentence of the command line, wherever it stands.
    if (ts.isPropertyAssignment(node.parent) && node.parent.name.getText(tree) === 'help') return;
    if (command.test(node.text)) found.push(`${file}: ${lineOf(tree, node)}: ${node.text.trim().slice(0, 100)}`);
  });
  return found;
}

describe('the words of each interface', () => {
  const { options, actions } = references();

  it('no text below the command line names a flag or a command', () => {
    const wrong = files
      .filter(({ file }) => !file.startsWith('cli/'))
      .flatMap(foreignWords)
      .filter((text) => !exceptions.some((e) => e.test(text) || e.test(text.split(':')[0])));
    expect(wrong).toEqual([]);
  });

  it('catches planted flags and commands, and lets comments, help and other dashes be', () => {
    const found = foreignWords(
      sourceOf(
        'data/planted.ts',
        [
          "const a = 'Leave --size out.'; // --comment",
          'const b = `Set --${name} ${value}.`;',
          "const c = { help: 'resume the run in --out', note: 'See: oddity train <model>' };",
          "const d = 'well-known -- oddity reads it';",
        ].join('\n'),
      ),
    );
    expect(found.map((text) => text.split(': ').slice(0, 2))).toEqual([
      ['data/planted.ts', '1'],
      ['data/planted.ts', '2'],
      ['data/planted.ts', '3'],
    ]);
  });

  it('every option that a sentence refers to is known to the command line', () => {
    expect(options.length).toBeGreaterThan(20);
    const wrong = options.filter(({ name }) => {
      const [first, second] = name.split('.');
      if (first === '*') return false; // whoever calls names it
      if (first === 'config') return second !== undefined && second !== '*' && !modelKeys.has(second);
      return !flagOf(name.split('.'))
        .split(/, | and /)
        .every((flag) => flags.has(flag.split(' ')[0]));
    });
    expect(wrong).toEqual([]);
  });

  it('every action that a sentence refers to is a command', () => {
    expect(actions.length).toBeGreaterThan(0);
    expect(actions.filter(({ name }) => !commands.includes(name))).toEqual([]);
    expect(commandWords.action('train' satisfies Action)).toBe('oddity train');
  });
});
