/** Reference of the published libraries: the exports of an entry file with their docstrings. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import ts from 'typescript';

const ROOT = join(import.meta.dirname, '../..');

type Declaration =
  | ts.FunctionDeclaration
  | ts.ClassDeclaration
  | ts.InterfaceDeclaration
  | ts.TypeAliasDeclaration
  | ts.VariableStatement;

/** One export: its name, its declaration, and the file that has it. */
interface Exported {
  name: string;
  declaration: Declaration;
  source: ts.SourceFile;
}

/** Headings of the page, in order, and what belongs below each. */
const SECTIONS: readonly [heading: string, belongs: (one: Exported) => boolean][] = [
  ['Hooks', ({ name }) => /^use[A-Z]/.test(name)],
  ['Components', ({ name, declaration }) => /^[A-Z]/.test(name) && isComponent(declaration)],
  ['Functions', ({ declaration }) => ts.isFunctionDeclaration(declaration) || ts.isVariableStatement(declaration)],
  ['Errors', ({ declaration }) => ts.isClassDeclaration(declaration)],
  ['Types', () => true],
];

/** Returns the page of a library. `entry` is its entry file, from the root of the repository. */
export async function libraryReference(name: string, entry: string, introduction: string): Promise<string> {
  const left = new Set(await exportsOf(entry));
  const parts = [
    `# \`${name}\``,
    'Generated from the docstrings by `npm run docs:build`.',
    introduction,
    ...SECTIONS.flatMap(([heading, belongs]) => {
      const members = [...left].filter(belongs);
      for (const member of members) left.delete(member);
      return members.length === 0 ? [] : [`## ${heading}`, ...members.flatMap(describe)];
    }),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** Reads the exports of an entry file, which consists of `export … from`. @throws Error if one is not found */
async function exportsOf(entry: string): Promise<Exported[]> {
  const index = await parse(join(ROOT, entry));
  const found: Exported[] = [];
  for (const statement of index.statements) {
    if (!ts.isExportDeclaration(statement) || statement.moduleSpecifier === undefined) continue;
    if (statement.exportClause === undefined || !ts.isNamedExports(statement.exportClause)) continue;
    const path = (statement.moduleSpecifier as ts.StringLiteral).text;
    const source = await parse(join(ROOT, dirname(entry), path));
    for (const { name } of statement.exportClause.elements) {
      const declaration = source.statements.find((one) => nameOf(one) === name.text);
      if (declaration === undefined) throw new Error(`${path} exports no ${name.text}.`);
      found.push({ name: name.text, declaration: declaration as Declaration, source });
    }
  }
  return found;
}

async function parse(path: string): Promise<ts.SourceFile> {
  const kind = path.endsWith('.tsx') ? ts.ScriptKind.TSX : ts.ScriptKind.TS;
  return ts.createSourceFile(path, await readFile(path, 'utf8'), ts.ScriptTarget.Latest, true, kind);
}

function nameOf(statement: ts.Statement): string | undefined {
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations[0]?.name.getText();
  const isNamed =
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement);
  return isNamed ? statement.name?.text : undefined;
}

function isComponent(declaration: Declaration): boolean {
  return (
    (ts.isFunctionDeclaration(declaration) || ts.isVariableStatement(declaration)) &&
    declaration.getSourceFile().fileName.endsWith('.tsx')
  );
}

function describe({ name, declaration, source }: Exported): string[] {
  return [`### \`${name}\``, ...docs(declaration), `\`\`\`ts\n${signature(declaration, source)}\n\`\`\``];
}

/** The docstring as paragraphs. */
function docs(declaration: Declaration): string[] {
  const comments = ts.getJSDocCommentsAndTags(declaration).filter(ts.isJSDoc);
  const [comment] = comments;
  if (comment === undefined) return [];
  const text = plain(ts.getTextOfJSDocComment(comment.comment));
  const tags = (comment.tags ?? []).map((tag) => {
    const about = plain(ts.getTextOfJSDocComment(tag.comment));
    if (ts.isJSDocParameterTag(tag)) return `- \`${tag.name.getText()}\`: ${about}`;
    if (ts.isJSDocThrowsTag(tag)) return `- Throws ${[tag.typeExpression?.getText(), about].filter(Boolean).join(' ')}`;
    return `- ${tag.tagName.text === 'returns' ? 'Returns' : tag.tagName.text} ${about}`;
  });
  return [text, ...(tags.length === 0 ? [] : [tags.join('\n')])].filter((part) => part !== '');
}

const plain = (text: string | undefined): string => (text ?? '').replaceAll(/\s*\n\s*/g, ' ').trim();

/** The declaration without bodies and private members. */
function signature(declaration: Declaration, source: ts.SourceFile): string {
  const text = source.text;
  const from = declaration.getStart(source);
  if (ts.isFunctionDeclaration(declaration)) {
    return trim(text.slice(from, declaration.body?.getStart(source) ?? declaration.end));
  }
  if (ts.isClassDeclaration(declaration)) return classSignature(declaration, source);
  if (ts.isVariableStatement(declaration)) {
    const [variable] = declaration.declarationList.declarations;
    const { type, initializer } = variable ?? {};
    const shown = type ?? (initializer && ts.isCallExpression(initializer) ? callee(initializer) : undefined);
    return `const ${variable?.name.getText() ?? ''}: ${shown?.getText() ?? ''}${type === undefined ? generics(initializer) : ''}`;
  }
  return trim(text.slice(from, declaration.end));
}

const callee = (call: ts.CallExpression): ts.Node => call.expression;

function generics(initializer: ts.Expression | undefined): string {
  const types = initializer && ts.isCallExpression(initializer) ? (initializer.typeArguments ?? []) : [];
  return types.length === 0 ? '' : `<${types.map((type) => type.getText()).join(', ')}>`;
}

function classSignature(declaration: ts.ClassDeclaration, source: ts.SourceFile): string {
  const members = declaration.members
    .filter((member) => !(member.name && ts.isPrivateIdentifier(member.name)))
    .map((member) => {
      const end = ts.isConstructorDeclaration(member) ? member.body?.getStart(source) : member.end;
      return source.text.slice(member.getFullStart(), end).trimEnd().replace(/^\n+/, '');
    });
  const head = source.text.slice(declaration.getStart(source), declaration.members.pos);
  return trim([head, ...members, '}'].join('\n'));
}

/** Removes `export`, and the indentation and the brace that the body has left. */
function trim(text: string): string {
  return text.replace(/^export /, '').trim();
}
