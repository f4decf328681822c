/**
 * Compiles the engine (command line, worker, services, local stack, edge functions) to JavaScript and copies what it reads.
 *
 * The workspaces that it uses are compiled into it and imported by relative paths, so that one tarball is enough.
 */
import { cp, glob, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { ROOT } from './paths.ts';

/** Folders and files of the engine. */
const SOURCES = [
  ...[
    'audio',
    'cli',
    'connection',
    'local',
    'migrate',
    'music',
    'schema',
    'service-check',
    'services',
    'supabase/functions',
    'telemetry',
    'worker',
  ],
  ...['packages/client', 'packages/supabase-local'],
].map((folder) => `${folder}/**/*.ts`);
/** What the compiled files read, and what `supabase functions deploy` needs. */
const FILES = [
  '{migrate,packages/supabase-local,sql}/**/*.sql',
  'services/orchestrator/prompt/*.md',
  'supabase/config.toml',
  'supabase/migrations/*.sql',
  'supabase/functions/**/*.{ts,json}',
  'schema/*.ts',
  'music/**/*.ts',
  'schema.ts',
];
const WORKSPACE = '@mashup-engine/';

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2024,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
};

/** Compiles into `folder`, which then has the layout of the repository. */
export async function compileEngine(folder: string): Promise<void> {
  for await (const source of glob(['schema.ts', ...SOURCES], { cwd: ROOT })) {
    if (source.endsWith('.d.ts')) continue;
    const text = compile(source, await readFile(join(ROOT, source), 'utf8'));
    await write(join(folder, source.replace(/\.ts$/, '.js')), text);
  }
  for await (const file of glob(FILES, { cwd: ROOT })) await cp(join(ROOT, file), join(folder, file));
  // The compiled files are modules wherever the folder is.
  await write(join(folder, 'package.json'), '{ "type": "module" }\n');
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

/** Compiles one file. `source` is its path from the root of the repository. */
function compile(source: string, text: string): string {
  return ts.transpileModule(text, {
    fileName: source,
    compilerOptions: OPTIONS,
    transformers: { before: [(context) => (file) => ts.visitEachChild(file, rewriteIn(source, context), context)] },
  }).outputText;
}

/** Rewrites imports of workspaces, and the URLs of threads: `new URL('./thread.ts', import.meta.url)`. */
function rewriteIn(source: string, context: ts.TransformationContext): ts.Visitor {
  const visit = (node: ts.Node): ts.Node => {
    if (ts.isStringLiteral(node) && node.text.startsWith(WORKSPACE)) {
      return ts.factory.createStringLiteral(workspacePath(source, node.text));
    }
    if (ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'URL') {
      const [first, ...others] = node.arguments ?? [];
      if (first !== undefined && ts.isStringLiteral(first) && first.text.endsWith('.ts')) {
        const compiled = ts.factory.createStringLiteral(first.text.replace(/\.ts$/, '.js'));
        return ts.factory.updateNewExpression(node, node.expression, node.typeArguments, [compiled, ...others]);
      }
    }
    return ts.visitEachChild(node, visit, context);
  };
  return visit;
}

/** Returns the path from a file to an entry of a workspace, as an import. */
function workspacePath(source: string, specifier: string): string {
  const entry = relative(ROOT, fileURLToPath(import.meta.resolve(specifier))).replace(/\.ts$/, '.js');
  const path = relative(dirname(source), entry).replaceAll(sep, '/');
  return path.startsWith('.') ? path : `./${path}`;
}
