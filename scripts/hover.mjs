/**
 * Puts the words of the schemas where editors look for them: before each option in `dist/models/*.d.ts`, as a comment
 * with its description, range and default. `build` runs it after the compiler, so that `.describe()` is the one source.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const folder = new URL('../dist/models/', import.meta.url);

/** `/** … *\/` of an option as `modelOptions` tells of it; words and switches have their range in their type. */
function commentOf({ description, range, type, choices, default: value }) {
  const text = choices || type === 'boolean' || range === '' ? description : `${description} Range: ${range}.`;
  return `/**\n     * ${text.replaceAll('*/', '*\\/')}\n     * @default ${JSON.stringify(value)}\n     */\n    `;
}

/** Type literals of constants: `{ … }` of `declare const knn: Model<{ … }, "knn">`, and those that are no models. */
function optionTypes(source) {
  return source.statements.filter(ts.isVariableStatement).flatMap(({ declarationList }) =>
    declarationList.declarations.flatMap(({ name, type }) => {
      const [options] = type?.typeArguments ?? [];
      return options && ts.isTypeLiteralNode(options) ? [{ name: name.text, members: options.members }] : [];
    }),
  );
}

/** The text of a declaration file with comments, from the models that its module exports. */
function withComments(path, text, module, modelOptions) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
  const models = optionTypes(source).filter(({ name }) => module[name]);
  const inserts = models.flatMap(({ name, members }) => {
    const options = new Map(modelOptions(module[name]).map((option) => [option.key, option]));
    return members.map((member) => ({
      at: member.getStart(source),
      comment: commentOf(options.get(member.name.text)),
    }));
  });
  return inserts.reduceRight((t, { at, comment }) => t.slice(0, at) + comment + t.slice(at), text);
}

/** Writes the comments into the built declarations, which have none yet. */
export async function describeOptions() {
  const { modelOptions } = await import('../dist/cli/schema.js');
  const list = ts.createSourceFile(
    'all.d.ts',
    readFileSync(new URL('all.d.ts', folder), 'utf8'),
    ts.ScriptTarget.Latest,
  );
  for (const { moduleSpecifier } of list.statements.filter(ts.isExportDeclaration)) {
    const url = new URL(moduleSpecifier.text.replace(/\.[jt]s$/, '.d.ts'), folder);
    const module = await import(new URL(moduleSpecifier.text.replace(/\.ts$/, '.js'), folder).href);
    const path = fileURLToPath(url);
    writeFileSync(path, withComments(path, readFileSync(path, 'utf8'), module, modelOptions));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await describeOptions();
