/** Keeps the CLI's sign-in in a file of the data directory, so that its caches and mashups outlive one run. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Storage of supabase-js over one JSON file that only this user reads. A file that is damaged counts as empty. */
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
