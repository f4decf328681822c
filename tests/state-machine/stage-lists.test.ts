/** Stages and kinds of tasks are listed in schema/stages.ts. Other files name a stage only where that one is meant. */
import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { TASK_KINDS, WORKING_STAGES } from '../../schema/stages.ts';

const ROOT = join(import.meta.dirname, '../..');
const PRODUCTION =
  '{audio,cli,local,migrate,music,packages,schema,services,sql,studio,supabase,worker}/**/*.{ts,tsx,sql}';
const GENERATED = /node_modules|dist\/|supabase\/migrations\/|\.generated\.sql$/;

/** The files that name every stage with work, or every kind of task, and why. */
const NAME_ALL: Record<string, string> = {
  'schema/stages.ts': 'the list',
  'schema/task-results.ts': 'each kind has a result of its own',
  'worker/handle-task.ts': 'each kind has a handler of its own',
  'supabase/schemas/20_transitions/2_reset.sql': 'each stage has its own columns in the row of a job',
};

/** Whether a source names all of these: in quotes, or as members of an object. */
function namesAll(text: string, names: readonly string[]): boolean {
  return names.every((name) => new RegExp(`['"\`]${name}['"\`]|^\\s*${name}(,|: )|[{,] ${name}[,:]`, 'm').test(text));
}

it('production code lists all stages or all kinds of tasks in one place', async () => {
  const found: string[] = [];
  for await (const entry of glob(PRODUCTION, { cwd: ROOT })) {
    const file = entry.replaceAll('\\', '/');
    if (GENERATED.test(file)) continue;
    const text = await readFile(join(ROOT, file), 'utf8');
    if (namesAll(text, WORKING_STAGES) || namesAll(text, TASK_KINDS)) found.push(file);
  }
  assert.ok(found.includes('schema/stages.ts'));
  assert.deepEqual(
    found.filter((file) => !(file in NAME_ALL)),
    [],
  );
});
