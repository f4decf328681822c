/** The compiler's view of a library. */
import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from './paths.ts';

/** Creates the program of some files, named from the root of the repository, with the repository's options and those given. */
export function createProgram(files: string[], more: ts.CompilerOptions = {}): ts.Program {
  const path = join(ROOT, 'tsconfig.json');
  const { options } = ts.parseJsonConfigFileContent(ts.readConfigFile(path, ts.sys.readFile).config, ts.sys, ROOT);
  return ts.createProgram(
    files.map((file) => join(ROOT, file)),
    { ...options, noEmit: false, declaration: true, emitDeclarationOnly: true, rootDir: ROOT, outDir: ROOT, ...more },
  );
}
