/** The pages name only files, commands and scripts that exist. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, it } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');
/** Folders at the top of the repository: a path in backticks that begins with one of them is a file of the project. */
const PATH =
  /`((?:audio|bench|cli|docs|examples|findings|local|migrate|music|packages|schema|scripts|services|sql|studio|supabase|tests|worker)\/[\w./*-]*)`/g;

/** Folders that a build makes: a fresh clone does not have them. */
const BUILT = new Set(['studio/dist']);

const pages = new Map<string, string>();
for await (const name of glob(
  [
    '*.md',
    '{docs,examples,findings,packages,services,worker,music,audio,local,supabase,studio,cli,tests}/**/README.md',
    'docs/**/*.md',
  ],
  {
    cwd: ROOT,
    exclude: (path) => path.includes('node_modules'),
  },
))
  pages.set(name.replaceAll('\\', '/'), await readFile(join(ROOT, name), 'utf8'));

/** Anchors of a page, as GitHub makes them from its headings. */
function anchorsOf(page: string): Set<string> {
  const headings = [...page.matchAll(/^#+ (.+)$/gm)].map((match) => match[1] ?? '');
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** The words after `npm run` or `npx mashup` in a page. */
const wordsAfter = (page: string, command: string): string[] =>
  [...page.matchAll(new RegExp(`${command} ([a-z][\\w:-]*)`, 'g'))].map((match) => match[1] ?? '');

/** Commands that the command line registers. */
async function mashupCommands(): Promise<Set<string>> {
  const names = new Set<string>(['help']);
  for await (const file of glob('cli/**/*.ts', { cwd: ROOT })) {
    const source = await readFile(join(ROOT, file), 'utf8');
    for (const [, name] of source.matchAll(/\.command\(\s*'([a-z-]+)/g)) names.add(name ?? '');
  }
  return names;
}

describe('pages', () => {
  for (const [name, page] of pages) {
    it(`every relative link of ${name} leads to a file and a heading`, () => {
      for (const [, target = ''] of page.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^(https?|mailto):/.test(target)) continue;
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? join(ROOT, name) : resolve(ROOT, dirname(name), path);
        assert.ok(existsSync(file), `${target} does not exist`);
        if (anchor === undefined || !file.endsWith('.md')) continue;
        const text = pages.get(relative(ROOT, file).replaceAll('\\', '/')) ?? '';
        assert.ok(anchorsOf(text).has(anchor), `${target}: no such heading`);
      }
    });
  }

  it('every file that a page names exists', async () => {
    const missing: string[] = [];
    for (const [name, page] of pages) {
      for (const [, path = ''] of page.matchAll(PATH)) {
        if (path.includes('*')) {
          const found: string[] = [];
          for await (const file of glob(path, { cwd: ROOT })) found.push(file);
          if (found.length === 0) missing.push(`${name}: ${path}`);
        } else if (!BUILT.has(path) && !existsSync(join(ROOT, path)) && !existsSync(join(ROOT, dirname(name), path)))
          missing.push(`${name}: ${path}`);
      }
    }
    assert.deepEqual(missing, []);
  });

  it('every npm script that a page names exists', async () => {
    const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    for (const [name, page] of pages) {
      for (const script of wordsAfter(page, 'npm run(?: -s)?'))
        assert.ok(script in scripts, `${name} names npm run ${script}`);
    }
  });

  it('every command of mashup that a page names exists', async () => {
    const commands = await mashupCommands();
    for (const [name, page] of pages) {
      for (const command of wordsAfter(page, '(?:npx |`)mashup'))
        assert.ok(commands.has(command), `${name} names mashup ${command}`);
    }
  });

  it('every page of docs/ is reachable from docs/README.md', () => {
    const reached = new Set<string>();
    const visit = (name: string): void => {
      if (reached.has(name)) return;
      reached.add(name);
      for (const [, target = ''] of (pages.get(name) ?? '').matchAll(/\]\(([^)\s#]+\.md)[)#]/g))
        visit(relative(ROOT, resolve(ROOT, dirname(name), target)).replaceAll('\\', '/'));
    };
    visit('docs/README.md');
    const lost = [...pages.keys()].filter((name) => name.startsWith('docs/') && !reached.has(name));
    assert.deepEqual(lost, []);
  });
});
