/** The compiler's view of the two libraries, for their declarations and their reference. */
import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from './paths.ts';

/** Creates the program of a library with the options of the repository. It takes a few seconds. */
export function createLibraryProgram(entry: string): ts.Program {
  const path = join(ROOT, 'tsconfig.json');
  const { options } = ts.parseJsonConfigFileContent(ts.readConfigFile(path, ts.sys.readFile).config, ts.sys, ROOT);
  const files = [entry, 'packages/react/env.d.ts'].map((file) => join(ROOT, file));
  return ts.createProgram(files, {
    ...options,
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: ROOT,
    outDir: ROOT,
  });
}
