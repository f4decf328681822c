/** Ports that are chosen before a server listens on them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { freePort } from '../../local/ports.ts';

/** Chosen at random, dozens of so many ports would be equal. */
const COUNT = 400;

async function choose(): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < COUNT) ports.push(await freePort());
  return ports;
}

const PROGRAM = `
import { freePort } from ${JSON.stringify(new URL('../../local/ports.ts', import.meta.url).href)};
const ports = [];
while (ports.length < ${COUNT}) ports.push(await freePort());
console.log(JSON.stringify(ports));
process.stdin.resume();
`;

test(
  'two processes that choose ports at the same time never get the same one',
  { skip: process.platform !== 'linux' && 'only Linux reserves ports' },
  async (t) => {
    const other = spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    t.after(() => other.stdin.end());
    const lines = createInterface({ input: other.stdout })[Symbol.asyncIterator]();
    const [own, line] = await Promise.all([choose(), lines.next()]);
    const theirs = JSON.parse(line.value ?? '') as number[];
    assert.equal(new Set([...own, ...theirs]).size, 2 * COUNT);
  },
);
