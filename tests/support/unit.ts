/**
 * Which test files are unit tests: those that, with everything that they import, start no process and open no
 * connection. The rule needs no list: it follows the imports.
 */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** Modules for processes, threads, sockets, databases, browsers and bundlers. */
const IMPURE =
  /^(node:(child_process|worker_threads|http|https|net|dgram)|postgres|pg|ws|graphile-worker|undici|playwright-core|vite|@supabase\/supabase-js|@mashup-engine\/.*)$/;
const IMPORT = /^(?:import|export)\s(?!type\s)[^'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)/gms;

/** Whether a test file is a unit test. `cache` saves reading shared modules again. */
export function isUnitTest(file: string, cache = new Map<string, Promise<string[]>>()): Promise<boolean> {
  return isPure(resolve(file), cache, new Set());
}

async function isPure(file: string, cache: Map<string, Promise<string[]>>, seen: Set<string>): Promise<boolean> {
  if (seen.has(file)) return true;
  seen.add(file);
  const imports = cache.get(file) ?? importsOf(file);
  cache.set(file, imports);
  for (const name of await imports) {
    if (IMPURE.test(name)) return false;
    if (name.startsWith('.') && !(await isPure(resolve(dirname(file), name), cache, seen))) return false;
  }
  return true;
}

/** What a module imports, types aside. */
async function importsOf(file: string): Promise<string[]> {
  if (!/\.tsx?$/.test(file)) return [];
  const text = await readFile(file, 'utf8');
  return [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}
