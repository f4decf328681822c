/** Traces and log lines where no OpenTelemetry SDK is installed. */
import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import { createLogger } from '../../telemetry/log.ts';
import { contextOf, idsOf, runIn, traceFields, traceHeaders, withIds, withSpan } from '../../telemetry/trace.ts';
import { createLog } from '../../worker/log.ts';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN_ID = '00f067aa0ba902b7';
const TRACEPARENT = `00-${TRACE_ID}-${SPAN_ID}-01`;
const IDS = { job: '6f1c2f5e-0f8f-4a67-9d53-0a3c3a1e7f10', task: '412', claim: '0b0e7a52-3f0d-4f7e-8f0b-8f2f4f0e1c11' };

test('a trace is passed on as it came, also in asynchronous work and in spans', async () => {
  await runIn(withIds(contextOf(TRACEPARENT), IDS), async () => {
    await setImmediate();
    await withSpan('any', {}, async () => {
      await setImmediate();
      assert.equal(traceHeaders()['traceparent'], TRACEPARENT);
      assert.deepEqual(idsOf(traceHeaders()['baggage']), IDS);
      assert.deepEqual(traceFields(), { trace_id: TRACE_ID, span_id: SPAN_ID, ...IDS });
    });
  });
  assert.deepEqual(traceHeaders(), {});
});

test('an error of the work in a span is thrown as it is', async () => {
  const error = new Error('as it is');
  await assert.rejects(
    withSpan('any', {}, () => Promise.reject(error)),
    (thrown) => thrown === error,
  );
});

for (const invalid of [
  undefined,
  null,
  '',
  'x',
  `00-${'0'.repeat(32)}-${SPAN_ID}-01`,
  `00-${TRACE_ID}-${'0'.repeat(16)}-01`,
  TRACEPARENT.toUpperCase(),
])
  test(`an invalid trace context is ignored: ${JSON.stringify(invalid)}`, () => {
    runIn(contextOf(invalid), () => assert.deepEqual(traceFields(), {}));
  });

test('baggage of other programs, and ids that are none, are not read', () => {
  assert.deepEqual(idsOf('user=1, mashup.job=<script>, mashup.task=12;property=1,mashup.other=3,xmashup.claim=4'), {
    task: '12',
  });
  assert.deepEqual(idsOf(`mashup.job=${'a'.repeat(100)}`), {});
});

test('a log line has the ids of its trace, and no secrets in messages and fields', () => {
  const lines: string[] = [];
  const log = createLog('json', (line) => lines.push(line));
  runIn(withIds(contextOf(TRACEPARENT), IDS), () =>
    log('warn', 'refused by https://x.test/a?token=SECRET', { error: 'Bearer SECRET', count: 2, nothing: undefined }),
  );
  assert.doesNotMatch(lines.join(), /SECRET/);
  const { time, ...line } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  assert.ok(!Number.isNaN(Date.parse(String(time))));
  assert.deepEqual(line, {
    level: 'warn',
    service: 'worker',
    trace_id: TRACE_ID,
    span_id: SPAN_ID,
    ...IDS,
    error: 'Bearer …',
    count: 2,
    message: 'refused by https://x.test/a',
  });
});

test('the format for terminals has one line of text for each message', () => {
  const lines: string[] = [];
  const log = createLogger({
    service: 'any',
    format: 'text',
    clean: (text) => text,
    write: (line) => lines.push(line),
  });
  log('info', 'started', { places: 4 });
  assert.match(lines[0] ?? '', /^\d{4}-\S+Z info {2}started places=4$/);
});
