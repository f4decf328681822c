import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { wavFile } from '../worker/wav-file.ts';
import { begin, end, rejectsWith, startAnthropic, streamsText } from './anthropic-server.ts';

const SCRIPT = join(import.meta.dirname, '../../scripts/compare-plans.ts');
const claude = await startAnthropic();
const folder = await mkdtemp(join(tmpdir(), 'mashup-compare-'));
after(async () => {
  await claude.close();
  await rm(folder, { recursive: true });
});
for (const name of ['one', 'two']) await writeFile(join(folder, `${name}.wav`), wavFile(40, name.length));

function run(
  args: string[],
  environment: NodeJS.ProcessEnv,
): Promise<{ code: number | null; out: string; err: string }> {
  const { ANTHROPIC_API_KEY: _, ...inherited } = process.env;
  const child = spawn(process.execPath, [SCRIPT, ...args], { env: { ...inherited, ...environment } });
  let out = '';
  let err = '';
  child.stdout.on('data', (text: Buffer) => (out += text.toString()));
  child.stderr.on('data', (text: Buffer) => (err += text.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })));
}

test('without an API key the comparison exits with a message and makes no call', async () => {
  const { code, err } = await run([], {});
  assert.equal(code, 2);
  assert.match(err, /needs ANTHROPIC_API_KEY/);
});

test('with an API key it prints the plans of rules and models, with faults, tokens and cost', async () => {
  const key = 'sk-local-planted-secret';
  let calls = 0;
  claude.behave((response, request) => {
    calls += 1;
    if (request.body['model'] === 'gone') return rejectsWith(404, 'not_found_error')(response, request);
    if (calls === 1) return streamsText('{"creative_vision":"x","masterplan":{"timeline":[]}}')(response, request);
    begin(response);
    end(response, 'refusal');
  });
  const environment = { ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: claude.url };
  const { code, out, err } = await run([folder, '--models', 'claude-opus-5-5,gone'], environment);
  assert.equal(code, 1);
  assert.doesNotMatch(out + err, /planted-secret/);
  assert.match(out, /\| rules \| .* \| 0 \| 0 \| 0\/0 \| 0\.000 \|/);
  assert.match(out, /\| claude-opus-5-5 \| Claude declined .* \| 1 \| 0 \| 5000\/2000 \| 0\.060 \|/);
  assert.match(out, /\| gone \| Claude does not know the model/);
  assert.match(err, /no sections/);
  assert.match(out, /## rules: /);
});
