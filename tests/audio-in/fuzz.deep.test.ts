import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { AnalyzeResponse, AUDIO_ERROR_CODES, ServiceErrorBody } from '../../schema.ts';
import { createAnalysisServer } from '../../services/analysis/server.ts';
import { fuzzDecoders } from './fuzz-decoders.ts';
import { damage } from './damage.ts';
import { songFiles, unusualFiles } from './song-files.ts';

/** First seed: others than in the decoders' test. */
const FIRST_SEED = 1_000_000;
const ROUNDS = 140;

const files = [...(await songFiles()), ...(await unusualFiles())];
const storage = createServer((request, response) => {
  const round = Number(request.url!.slice(1));
  response.end(damage(files[round % files.length]!.bytes, FIRST_SEED + round));
});
const analysis = createAnalysisServer();

before(async () => {
  for (const server of [storage, analysis]) await once(server.listen(0, '127.0.0.1'), 'listening');
});
after(() => {
  for (const server of [storage, analysis]) {
    server.close();
    server.closeAllConnections();
  }
});

test('2,000 damaged files of all formats give a typed error or sound, in bounded time and memory', async () => {
  const outcomes = await fuzzDecoders(2000);
  assert.ok(outcomes['decoded']! > 100 && outcomes['audio_damaged']! > 100, JSON.stringify(outcomes));
});

test('the analysis service answers damaged files with an analysis or with 400 and a code', async () => {
  const portOf = (server: typeof storage): number => (server.address() as AddressInfo).port;
  for (let round = 0; round < ROUNDS; round++) {
    const response = await fetch(`http://127.0.0.1:${portOf(analysis)}/analyze`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ song_id: 'a', file_url: `http://127.0.0.1:${portOf(storage)}/${round}` }),
      signal: AbortSignal.timeout(60_000),
    });
    const body: unknown = await response.json();
    if (response.status === 200) {
      AnalyzeResponse.parse(body);
      continue;
    }
    assert.equal(response.status, 400, `round ${round}: ${JSON.stringify(body)}`);
    const { code } = ServiceErrorBody.parse(body);
    assert.ok(
      AUDIO_ERROR_CODES.some((known) => known === code),
      `round ${round}: ${code}`,
    );
  }
});
