/** Clients of the services: normalisation of responses, error classes, event streams. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TaskError } from '../../worker/errors.ts';
import { redact } from '../../worker/redact.ts';
import { toSongAnalysis } from '../../worker/services/analysis.ts';
import { classOfStatus, faultOfResponse } from '../../worker/services/faults.ts';
import { callJson, joinUrl } from '../../worker/services/http.ts';
import { parseEvent, readEvents } from '../../worker/services/sse.ts';

const signal = new AbortController().signal;

test('each status has one of the four fault classes', () => {
  const classes = Object.fromEntries(
    [400, 401, 404, 408, 413, 422, 425, 429, 500, 502, 503, 504, 529].map((status) => [status, classOfStatus(status)]),
  );
  assert.deepEqual(classes, {
    400: 'permanent',
    401: 'permanent',
    404: 'permanent',
    408: 'transient',
    413: 'permanent',
    422: 'permanent',
    425: 'transient',
    429: 'overloaded',
    500: 'transient',
    502: 'unavailable',
    503: 'unavailable',
    504: 'unavailable',
    529: 'overloaded',
  });
});

test('digits and words in an error text do not change its class', () => {
  const fault = faultOfResponse({ service: 'analysis', status: 400, body: '{"detail":"timeout after 45000ms, 503"}' });
  assert.equal(fault.faultClass, 'permanent');
});

test('an error code and a hint of a service reach the user unchanged', () => {
  const body = JSON.stringify({
    detail: 'The file ends too early.',
    code: 'audio_truncated',
    hint: 'Upload it again.',
  });
  const fault = faultOfResponse({ service: 'analysis', status: 400, body });
  assert.deepEqual(
    [fault.code, fault.message, fault.hint, fault.faultClass],
    ['audio_truncated', 'The file ends too early.', 'Upload it again.', 'permanent'],
  );
});

test('a service that Storage refused a file for its size fails for good, in its own words', () => {
  for (const [service, status, body] of [
    [
      'separation',
      413,
      { detail: 'Storage refused it: 413 EntityTooLarge', code: 'upload_too_large', hint: 'Raise it.' },
    ],
    ['separation', 500, { detail: 'Failed to separate stems: The object exceeded the maximum allowed size' }],
    ['processing', 500, { detail: "{'statusCode': 413, 'error': 'Payload too large'}" }],
  ] as const) {
    const fault = faultOfResponse({ service, status, body: JSON.stringify(body) });
    assert.deepEqual([fault.code, fault.faultClass], ['upload_too_large', 'permanent']);
    assert.ok(fault.message.includes(body.detail));
    assert.ok(fault.hint);
  }
});

test('Retry-After is read as seconds and as a date', () => {
  const fault = (retryAfter: string): TaskError =>
    faultOfResponse({ service: 'orchestrator', status: 429, retryAfter, body: '' });
  assert.equal(fault('7').retryAfterSec, 7);
  const seconds = fault(new Date(Date.now() + 20_000).toUTCString()).retryAfterSec ?? 0;
  assert.ok(seconds > 15 && seconds <= 20);
  assert.equal(fault('nonsense').retryAfterSec, undefined);
});

test('a service that cannot be reached is unavailable, and the task is not to blame', async () => {
  const call = callJson({ service: 'scoring', baseUrl: 'http://127.0.0.1:1', path: '/x', body: {}, signal });
  await assert.rejects(call, (error: TaskError) => {
    assert.deepEqual(
      [error.code, error.faultClass, error.spendsAttempt],
      ['service_unavailable', 'unavailable', false],
    );
    return true;
  });
});

test('what a proxy says of a service that is away may be no fault of the task, and what the service says with a code is', () => {
  const spends = (status: number, body: string): unknown[] => {
    const fault = faultOfResponse({ service: 'analysis', status, retryAfter: '30', body });
    return [fault.faultClass, fault.spendsAttempt, fault.retryAfterSec];
  };
  for (const status of [502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 530]) {
    assert.deepEqual(
      spends(status, `<html><h1>${status}</h1></html>`),
      ['unavailable', 'if_answering', 30],
      `${status}`,
    );
    assert.deepEqual(spends(status, ''), ['unavailable', 'if_answering', 30], `${status}`);
  }
  assert.deepEqual(spends(503, '{"detail": "busy", "code": "claude_overloaded"}'), ['unavailable', true, 30]);
  assert.deepEqual(spends(500, '<html><h1>500</h1></html>'), ['transient', true, 30]);
});

test('a limit of a fraction of a millisecond is a limit like any other', async () => {
  const call = callJson({ service: 'scoring', baseUrl: 'http://127.0.0.1:9', path: '/', signal, timeoutMs: 1500.65 });
  await assert.rejects(call, { code: 'service_unavailable' });
});

test('a base URL keeps its path', () => {
  assert.equal(
    joinUrl('https://host.example.test/analysis/', '/analyze'),
    'https://host.example.test/analysis/analyze',
  );
});

test('secrets are removed from texts', () => {
  const text = redact(
    'GET https://u:pw@h.test/a?token=abcdef failed: Bearer abc.def, key=sk-ant-123456, eyJhbGci.eyJzdWIi.c2ln, postgres://a:b@h/db in /home/x/y.ts',
  );
  assert.doesNotMatch(text, /pw|abcdef|abc\.def|123456|eyJ|a:b|home/);
  assert.match(text, /h\.test\/a failed/);
});

test('events are read from chunks of any size and with any line ending', async () => {
  const text =
    '\ufeff: comment\n\ndata: {"a":\ndata: 1}\r\n\r\nevent: x\ndata: two\n\n\n\ndata:three\r\r: ping\n\ndata: last é';
  for (const size of [1, 2, 3, 7, 1_000]) {
    const bytes = Buffer.from(text);
    const chunks = async function* (): AsyncGenerator<Uint8Array> {
      for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
    };
    const events: string[] = [];
    for await (const event of readEvents(chunks())) events.push(event);
    assert.deepEqual(events, ['{"a":\n1}', 'two', 'three', 'last é'], `in chunks of ${size}`);
  }
});

test('an event that is too long is skipped, and those around it are read', async () => {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('data: before\n\ndata: ');
    for (let i = 0; i < 3; i++) yield Buffer.alloc(500_000, 'x');
    yield Buffer.from('\n\ndata: after\n\n');
  }
  const events: string[] = [];
  for await (const event of readEvents(chunks())) events.push(event);
  assert.deepEqual(events, ['before', 'after']);
});

test('event data that is not a JSON object is read as an empty object', () => {
  for (const data of ['ping', '[1]', '7', 'null', '{"cut": tr']) assert.deepEqual(parseEvent(data), {}, data);
  assert.deepEqual(parseEvent('{"progress": 1}'), { progress: 1 });
});

test('an analysis with separate key and scale and without timbre is completed', () => {
  const analysis = toSongAnalysis({
    version: '4.1-essentia-correct-access',
    metadata: { genre_tags: ['pop'] },
    rhythmic: { bpm: '124.5', beat_confidence: 1.4 },
    harmonic: { key: 'Bb', scale: 'minor', key_confidence: 0.8 },
    vocal: { vocal_presence: -0.1 },
    spectral: { brightness: 2_000 },
  });
  assert.equal(analysis.harmonic.key, 'Bb minor');
  assert.equal(analysis.rhythmic.bpm, 124.5);
  assert.equal(analysis.rhythmic.beat_confidence, 1);
  assert.equal(analysis.vocal.vocal_presence, 0);
  assert.equal(analysis.spectral.dynamic_range, 15);
  assert.equal(analysis.has_timbre, false);
  assert.deepEqual(analysis.spectral.mfccs, []);
});

test('groove in frames is converted to a share of the beat', () => {
  const rhythmic = { bpm: 120, beat_confidence: 0.9, groove_stability: 2, swing_factor: 0 };
  const { groove_stability } = toSongAnalysis({ rhythmic, harmonic: { key: 'N/A' } }).rhythmic;
  assert.ok(Math.abs(groove_stability - (1 - (2 * 512) / 44_100 / 0.5)) < 1e-9);
});
