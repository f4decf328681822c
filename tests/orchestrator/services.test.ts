import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { checkPlan } from '../../music/plan/checks.ts';
import { parseSong } from '../../music/scoring/parse-song.ts';
import { DEFAULT_PLAN_LIMITS } from '../../music/plan/limits.ts';
import { producePlan } from '../../music/producer/producer.ts';
import { PhraseMatch, PlanResponse } from '../../schema.ts';
import { createOrchestratorServer } from '../../services/orchestrator/server.ts';
import { createScoringServer } from '../../services/scoring/server.ts';
import { makeSong } from '../music/arbitraries.ts';

type Json = Record<string, unknown>;
const fixture = async (name: string): Promise<Json> =>
  JSON.parse(await readFile(new URL(`../fixtures/contracts/${name}`, import.meta.url), 'utf8')) as Json;
const servers: Server[] = [];
let scoring = '';
let planning = '';

async function listen(server: Server, path: string): Promise<string> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
}
async function post(url: string, body: unknown): Promise<{ status: number; body: Json }> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as Json };
}

before(async () => {
  scoring = await listen(createScoringServer(), '/calculate-mashability');
  planning = await listen(createOrchestratorServer(null), '/create-masterplan');
});
after(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

test('scoring returns the members of the contract for the requests of the contract', async () => {
  const expected = await fixture('scoring.response.ok.json');
  for (const name of ['scoring.request.default-weights.json', 'scoring.request.user-weights.json']) {
    const { status, body } = await post(scoring, await fixture(name));
    assert.equal(status, 200);
    for (const member of Object.keys(expected)) assert.ok(member in body, member);
    const groups = expected['compatibility_breakdown'] as Record<string, Json>;
    for (const [group, members] of Object.entries(groups))
      for (const member of Object.keys(members))
        assert.equal(
          typeof (body['compatibility_breakdown'] as Record<string, Json>)[group]?.[member],
          'number',
          `${group}.${member}`,
        );
  }
});

test('complete analyses get phrases with their song ids', async () => {
  const [a, b] = [makeSong('a'), makeSong('b', { bpm: 124 })];
  const { body } = await post(scoring, {
    song1_analysis: { ...a.analysis, song_id: 'first' },
    song2_analysis: { ...b.analysis, song_id: 'second' },
  });
  assert.deepEqual(body['song_pair'], ['first', 'second']);
  const phrases = PhraseMatch.array().parse(body['phrases']);
  assert.ok(phrases.length > 0);
  assert.deepEqual([...new Set(phrases.map(({ vocals_song_id }) => vocals_song_id))].toSorted(), ['first', 'second']);
});

test('structural faults are 422 as in the contract, all other input gets scores', async () => {
  const request = await fixture('scoring.request.default-weights.json');
  const [first] = (await fixture('scoring.errors.json')) as unknown as { status: number; body: { detail: Json[] } }[];
  const { song2_analysis: _, ...without } = request;
  const { status, body } = await post(scoring, without);
  assert.equal(status, 422);
  const [detail] = body['detail'] as Json[];
  assert.deepEqual(
    [detail?.['type'], detail?.['loc'], detail?.['msg']],
    [first?.body.detail[0]?.['type'], first?.body.detail[0]?.['loc'], first?.body.detail[0]?.['msg']],
  );
  for (const user_weights of [{ harmonic: 0, rhythmic: 0, spectral: 0, vocal: 0 }, null, { harmonic: 1 }])
    assert.equal((await post(scoring, { ...request, user_weights })).status, 200);
  assert.equal((await post(scoring, { song1_analysis: {}, song2_analysis: {} })).status, 200);
});

test("without an API key the contract's bodies of two and three songs get a rule-based plan that passes the checks", async () => {
  for (const name of ['orchestrator.request.pair.json', 'orchestrator.request.trio.json']) {
    const request = await fixture(name);
    const { status, body } = await post(planning, request);
    assert.equal(status, 200);
    const answer = PlanResponse.parse(body);
    assert.equal(answer.source, 'rules');
    const more = ((request['user_preferences'] as Json)['additional_songs'] ?? []) as unknown[];
    const songs = [request['song1_analysis'], request['song2_analysis'], ...more].map((raw, i) =>
      parseSong(raw, i + 1),
    );
    assert.equal(songs.length, name.includes('trio') ? 3 : 2);
    assert.deepEqual(checkPlan(answer, songs, DEFAULT_PLAN_LIMITS).faults, []);
    assert.match(String((answer.masterplan as { artistCredits?: string }).artistCredits), /The Verges/);
  }
});

test('a body with empty analyses gets a plan', async () => {
  const { status } = await post(planning, { song1_analysis: {}, song2_analysis: {}, mashability_score: {} });
  assert.equal(status, 200);
});

test('a missing member and null preferences are 422', async () => {
  const request = await fixture('orchestrator.request.pair.json');
  const { mashability_score: _, ...without } = request;
  assert.equal((await post(planning, without)).status, 422);
  assert.equal((await post(planning, { ...request, user_preferences: null })).status, 422);
});

test('without an API key feedback is applied by rules, with a report of changes and of what was not understood', async () => {
  const songs = [makeSong('a'), makeSong('b')];
  const previous = producePlan({ songs, scores: [], limits: DEFAULT_PLAN_LIMITS, seed: 1 });
  const mashup = { songs, scores: [], limits: DEFAULT_PLAN_LIMITS, seed: 1, previous };
  const ask = async (feedback: string): Promise<Json> =>
    (
      await post(planning, {
        song1_analysis: {},
        song2_analysis: {},
        mashability_score: {},
        mashup: { ...mashup, feedback },
      })
    ).body;
  const faster = await ask('faster');
  assert.match(String(faster['changes']), /tempo went/);
  assert.deepEqual(checkPlan(faster, songs, DEFAULT_PLAN_LIMITS).faults, []);
  const blue = await ask('paint it blue and make it slower');
  assert.deepEqual(blue['not_understood'], ['paint it blue']);
  assert.deepEqual(blue['understood'], [{ kind: 'tempo', change: 'slower' }]);
});
