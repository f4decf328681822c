/** Stores the CLI's sign-in in the data directory, so that later runs have the same user, caches and mashups. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Returns an auth storage for supabase-js in a JSON file that only this user can read. A damaged file counts as empty. */
export function sessionFile(dataDir: string): {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
} {
  const file = join(dataDir, 'cli-session.json');
  const load = (): Record<string, string> => {
    try {
      return JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
    } catch {
      return {};
    }
  };
  const save = (items: Record<string, string>): void => {
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, JSON.stringify(items), { mode: 0o600 });
    renameSync(draft, file);
  };
  return {
    getItem: (key) => load()[key] ?? null,
    setItem: (key, value) => save({ ...load(), [key]: value }),
    removeItem: (key) => save(Object.fromEntries(Object.entries(load()).filter(([name]) => name !== key))),
  };
}
