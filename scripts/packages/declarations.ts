/**
 * Writes the type declarations of a library. Types of the engine's schema, which are inferred from zod and Kysely, are written out
 * in `engine-types.d.ts`, so that the library needs neither package.
 */
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, posix, relative, sep } from 'node:path';
import { format } from 'prettier';
import ts from 'typescript';
import { ROOT } from './paths.ts';
import { createProgram } from './program.ts';
import { writeType } from './write-type.ts';

const TYPES_FILE = 'engine-types';
const PLAIN_TYPES = 'schema/stages.ts';
const IMPORT = /(import|export) type \{ ([^}]+) \} from '(\.[^']+)';\n/g;
const RELATIVE = /(from ')(\.[^']+)\.tsx?'/g;
const WORKSPACE_IMPORT = /import\("(\.[^"]+)"\)/;

/** A type of the engine that declarations name. */
export interface EngineType {
  name: string;
  /** File that exports it, from the root of the repository. */
  file: string;
}

/** Declarations of the files of a library, by their path from the root of the repository (`.ts`, `.tsx`). */
export interface Declarations {
  of(file: string): string;
  /** Writes out types of the engine. */
  writeOut(types: EngineType[]): string;
}

/**
 * Writes the declarations that entries need into `folder`.
 * @param source folder of the library from the root of the repository; files outside it are the engine's
 * @param entries names of files in `source`
 */
export async function writeDeclarations(
  declarations: Declarations,
  source: string,
  entries: readonly string[],
  folder: string,
): Promise<void> {
  const engineTypes = new Map<string, EngineType>();
  const seen = new Set<string>();
  const waiting = entries.map((entry) => posix.join(source, entry));
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const inside = replaceEngineImports(declarations.of(file), file, source, engineTypes);
    for (const [, , path = ''] of inside.matchAll(/(from ')(\.[^']+)'/g)) {
      if (!path.includes(TYPES_FILE)) waiting.push(posix.join(posix.dirname(file), path));
    }
    const target = join(folder, relative(source, file.replace(/\.tsx?$/, '.d.ts')));
    await write(target, inside.replace(RELATIVE, "$1$2.js'"));
  }
  if (engineTypes.size > 0) {
    const text = declarations.writeOut([...engineTypes.values()]);
    await write(
      join(folder, `${TYPES_FILE}.d.ts`),
      await format(text, { parser: 'typescript', printWidth: 120, singleQuote: true }),
    );
  }
}

/** Declarations of a library whose exports have explicit types: each file is read alone, which takes milliseconds. */
export function explicitDeclarations(): Declarations {
  return {
    of(file) {
      const text = readFileSync(join(ROOT, file), 'utf8');
      const { outputText, diagnostics } = ts.transpileDeclaration(text, {
        fileName: file,
        reportDiagnostics: true,
        compilerOptions: { target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true },
      });
      const [fault] = diagnostics ?? [];
      if (fault !== undefined) throw new Error(`${file}: ${ts.flattenDiagnosticMessageText(fault.messageText, ' ')}`);
      return outputText.replaceAll('"', "'");
    },
    writeOut(types) {
      const files = types.map(({ file }) => file);
      // The list of stages is plain: it is read without what it imports. Others are inferred from zod and Kysely, which takes seconds.
      const noResolve = files.every((file) => file === PLAIN_TYPES);
      return engineDeclarations(createProgram(files, { noResolve, types: [] }), types);
    },
  };
}

/** Declarations by the compiler, for a library that exports inferred types. It takes seconds. */
export function inferredDeclarations(entry: string): Declarations {
  const program = createProgram([entry, 'packages/react/env.d.ts']);
  const emitted = emitDeclarations(program);
  return {
    of(file) {
      const text = emitted.get(file.replace(/\.tsx?$/, '.d.ts'));
      if (text === undefined) throw new Error(`${file} has no declarations.`);
      return text;
    },
    writeOut: (types) => engineDeclarations(program, types),
  };
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

/** Returns the declarations of all files of the repository, by their path from its root. */
function emitDeclarations(program: ts.Program): Map<string, string> {
  const emitted = new Map<string, string>();
  program.emit(
    undefined,
    (path, text) => emitted.set(relative(ROOT, path).replaceAll(sep, '/'), text.replaceAll('"', "'")),
    undefined,
    true,
  );
  return emitted;
}

/** Replaces imports from files outside `source` by imports of the written-out types, and collects those. */
function replaceEngineImports(text: string, file: string, source: string, types: Map<string, EngineType>): string {
  if (WORKSPACE_IMPORT.test(text)) throw new Error(`${file} names a type that it does not import.`);
  return text.replace(IMPORT, (statement, keyword: string, names: string, path: string) => {
    const target = posix.join(posix.dirname(file), path);
    if (target.startsWith(`${source}/`)) return statement;
    for (const [name = ''] of names.split(',').map((one) => one.trim().split(' as '))) {
      types.set(name, { name, file: target });
    }
    const own = posix.relative(posix.dirname(file), `${source}/${TYPES_FILE}.js`);
    return `${keyword} type { ${names} } from '${own.startsWith('.') ? own : `./${own}`}';\n`;
  });
}

function engineDeclarations(program: ts.Program, types: EngineType[]): string {
  const checker = program.getTypeChecker();
  const declarations = types
    .sort((a, b) => a.name.localeCompare(b.name))
    .map(({ name, file }) => {
      const module = program.getSourceFile(join(ROOT, file));
      const exported = module && checker.getSymbolAtLocation(module);
      const symbol = exported && checker.getExportsOfModule(exported).find((one) => one.name === name);
      if (symbol === undefined) throw new Error(`${file} exports no ${name}.`);
      const aliased = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      return `export type ${name} = ${writeType(checker, checker.getDeclaredTypeOfSymbol(aliased))};\n`;
    });
  return `/** Types of the engine's messages and documents, written out. */\n${declarations.join('\n')}`;
}
