/** Programs that a machine may lack: the tests that need them are skipped with a message. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Returns why a test is skipped: the programs that are missing, with the Debian package that has them. Undefined if none is. */
export async function missingPrograms(programs: Record<string, string>): Promise<string | undefined> {
  const missing: string[] = [];
  for (const [program, debianPackage] of Object.entries(programs)) {
    const isThere = await run('sh', ['-c', `command -v ${program}`], { env: searchPath() }).then(
      () => true,
      () => false,
    );
    if (!isThere) missing.push(`${program} is not installed (Debian package ${debianPackage})`);
  }
  return missing.length === 0 ? undefined : missing.join('; ');
}

/** The environment of this process, with the folders of programs for administrators in the search path. */
export function searchPath(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` };
}
