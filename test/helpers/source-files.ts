/** What the architecture test reads of sources, given as text: their imports, the length of their functions, circles. */
import { posix } from 'node:path';
import ts from 'typescript';

export interface SourceFile {
  /** From the root of the project, with forward slashes: `src/graph/grad.ts`. */
  readonly path: string;
  readonly text: string;
}

/** One import or export of another module: a statement, `import('…')`, or a type `import('…').Name`. */
export interface Import {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly text: string;
  /** As it is written: `../core/shape.ts`, `node:path`. */
  readonly target: string;
  /**
   * True when nothing is left of it at run time. `import { type A }` stays as a bare import, so only `import type` counts.
   */
  readonly isType: boolean;
}

/** The path from the root of what a relative import names. */
export const resolved = ({ file, target }: Import): string => posix.join(posix.dirname(file), target);

/** `src/a.ts:3: why`, and the statement. */
export const show = ({ file, line, text }: Import, why: string): string => `${file}:${line}: ${why}\n    ${text}`;

const parsed = new WeakMap<SourceFile, ts.SourceFile>();

function parse(file: SourceFile): ts.SourceFile {
  const tree = parsed.get(file) ?? ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true);
  parsed.set(file, tree);
  return tree;
}

/** Every import of a file, in order. */
export function importsOf(file: SourceFile): Import[] {
  const source = parse(file);
  const found: Import[] = [];
  const add = (node: ts.Node, target: ts.Node | undefined, isType: boolean) => {
    if (!target || !ts.isStringLiteralLike(target)) return;
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
    const text = node.getText(source).replace(/\s+/g, ' ');
    found.push({ file: file.path, line, text, target: target.text, isType });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node, node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    } else if (ts.isExportDeclaration(node)) add(node, node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node, node.argument.literal, true);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node, node.arguments[0], false);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** A function with its length in lines, without its doc comment. */
export interface FunctionLength {
  readonly file: string;
  /** Its name, or that of the variable or key that holds it. */
  readonly name: string;
  readonly lines: number;
}

/** Every function, method and callback of a file. */
export function functionsOf(file: SourceFile): FunctionLength[] {
  const source = parse(file);
  const found: FunctionLength[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      const [first, last] = [node.getStart(source), node.end].map(
        (at) => source.getLineAndCharacterOfPosition(at).line,
      );
      const holder = node.name ?? (node.parent as { name?: ts.Node }).name;
      found.push({ file: file.path, name: holder?.getText(source) ?? `line ${first + 1}`, lines: last - first + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/**
 * Circles through which values flow: the strongly connected sets of more than one file (Tarjan 1972), each in
 * alphabetical order. Imports of types do not count.
 */
export function circlesOf(imports: readonly Import[]): string[][] {
  const targets = new Map<string, Set<string>>();
  for (const i of imports) {
    if (i.isType || !i.target.startsWith('.')) continue;
    targets.set(i.file, (targets.get(i.file) ?? new Set()).add(resolved(i)));
  }
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const circles: string[][] = [];
  const visit = (file: string): void => {
    index.set(file, index.size);
    low.set(file, index.get(file)!);
    open.push(file);
    for (const next of targets.get(file) ?? []) {
      if (!index.has(next)) visit(next);
      if (open.includes(next)) low.set(file, Math.min(low.get(file)!, low.get(next)!));
    }
    if (low.get(file) !== index.get(file)) return;
    const circle = open.splice(open.indexOf(file));
    if (circle.length > 1) circles.push(circle.sort());
  };
  for (const file of targets.keys()) if (!index.has(file)) visit(file);
  return circles.sort();
}
