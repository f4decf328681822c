/** For each rule of the contract, a change that makes a service break it. */
import { SERVICE_DEFAULTS, SERVICES } from '../../schema.ts';
import type { ServiceName } from '../../schema.ts';
import { ANALYSIS, events, json, PLAN } from './right-services.ts';
import type { Handler, ServiceResponse } from './right-services.ts';

type Json = Record<string, unknown>;
type Changes = Record<string, Handler>;

/** Changes the body of the answer to a valid request. */
const changed =
  (change: (body: Json) => unknown): Handler =>
  async (_request, right) => {
    const response = await right();
    return response.status === 200 && response.text.includes('"success"')
      ? json(200, change(JSON.parse(response.text) as Json))
      : response;
  };

/** Replaces answers with status 200 to a POST. */
const replaced =
  (answer: (response: ServiceResponse, body: Json) => ServiceResponse): Handler =>
  async ({ method, body }, right) => {
    const response = await right();
    return method === 'POST' && response.status === 200 ? answer(response, body ?? {}) : response;
  };

const isEmptyBody = (text: string): boolean => text === '{}';

/** Changes for the rules of all services. */
const common = (service: ServiceName): Changes => ({
  'shows-that-it-runs': ({ path }, right) =>
    path === '/health' ? Promise.resolve(json(404, { detail: 'Not Found' })) : right(),
  'refuses-empty-body': ({ text, path }, right) =>
    isEmptyBody(text) && path === SERVICE_DEFAULTS[service].path
      ? Promise.resolve(json(500, { detail: 'KeyError' }))
      : right(),
  'names-missing-field': ({ text, path }, right) =>
    isEmptyBody(text) && path === SERVICE_DEFAULTS[service].path
      ? Promise.resolve(json(422, { detail: 'invalid' }))
      : right(),
  'refuses-broken-json': ({ body, method }, right) =>
    body === undefined && method === 'POST'
      ? Promise.resolve({ status: 500, type: 'text/plain', text: 'Internal Server Error' })
      : right(),
  'unknown-path-is-404': ({ path }, right) =>
    path === '/no-such-path' ? Promise.resolve(json(200, { hello: 'world' })) : right(),
  'wrong-method-is-405': ({ method, path }, right) =>
    method === 'GET' && path === SERVICE_DEFAULTS[service].path
      ? Promise.resolve(json(500, { detail: 'no body' }))
      : right(),
  // It refuses a member that it does not know.
  'accepts-request': ({ body }, right) =>
    body?.['unknown_member'] === undefined
      ? right()
      : Promise.resolve(
          json(422, { detail: [{ loc: ['body', 'unknown_member'], msg: 'Extra inputs are not permitted' }] }),
        ),
});

const answersJson: Changes = {
  'answers-json': replaced(({ text }) => ({ status: 200, type: 'text/html', text })),
};

/** Changes for services that fetch a file. */
const files: Changes = {
  'reports-missing-file': async ({ text }, right) => {
    const response = await right();
    return text.includes('missing.wav')
      ? { status: 500, type: 'text/html', text: '<h1>Internal Server Error</h1>' }
      : response;
  },
  'hides-signed-urls': async ({ text }, right) => {
    const response = await right();
    return text.includes('missing.wav')
      ? json(400, { detail: `Failed to download ${/http[^"]+missing\.wav[^"]+/.exec(text)?.[0]}` })
      : response;
  },
};

const analysisWith = (group: string, change: Json): Handler =>
  changed((body) => ({
    ...body,
    analysis: { ...ANALYSIS, [group]: { ...(ANALYSIS as unknown as Record<string, Json>)[group], ...change } },
  }));

const planWith = (timeline: object[]): Handler =>
  replaced(() => json(200, { ...PLAN, masterplan: { ...PLAN.masterplan, timeline } }));
const [section] = PLAN.masterplan.timeline;
const layered = (change: Json): Handler => planWith([{ ...section, layers: [{ ...section?.layers[0], ...change }] }]);

const scoreWith = (change: (score: Json, body: Json) => Json): Handler =>
  replaced((response, body) => json(200, change(JSON.parse(response.text) as Json, body)));

let counter = 0;

const rendered = (change: (sent: unknown[]) => unknown[]): Handler =>
  replaced((response) => {
    const sent = response.text
      .split('\n\n')
      .filter((part) => part !== '')
      .map((part) => JSON.parse(part.slice('data: '.length)) as Json);
    return sent.at(-1)?.['error'] === undefined ? events(...change(sent)) : response;
  });

const CHANGES: Record<ServiceName, Changes> = {
  analysis: {
    ...answersJson,
    ...files,
    'echoes-song-id': changed(({ songId, ...body }) => ({ ...body, song_id: songId })),
    'analysis-is-complete': analysisWith('rhythmic', { beat_confidence: 'high' }),
    'key-is-readable': analysisWith('harmonic', { key: 'Z-Dur' }),
    'mfccs-have-13-rows': analysisWith('spectral', { mfccs: [[1], [2]] }),
    'finds-the-tempo': analysisWith('rhythmic', { bpm: 90 }),
    'accepts-audio-data': ({ body }, right) =>
      body?.['audio_data'] === undefined
        ? right()
        : Promise.resolve(json(422, { detail: [{ loc: ['body', 'file_url'], msg: 'Field required' }] })),
    'requires-a-source': ({ body }, right) =>
      body?.['song_id'] !== undefined && body['file_url'] === undefined && body['audio_data'] === undefined
        ? Promise.resolve(json(200, { success: true, songId: body['song_id'], analysis: ANALYSIS }))
        : right(),
  },
  scoring: {
    ...answersJson,
    'score-is-complete': scoreWith(({ recommendations: _removed, ...score }) => score),
    'scores-in-range': scoreWith((score) => ({
      ...score,
      dimension_scores: { ...(score['dimension_scores'] as Json), spectral: -20 },
    })),
    'same-request-same-score': scoreWith((score, body) =>
      body['user_weights'] === undefined ? { ...score, overall_score: 50 + (counter++ % 40) } : score,
    ),
    'follows-weights': scoreWith((score) => ({ ...score, overall_score: 42 })),
  },
  orchestrator: {
    ...answersJson,
    'plan-is-complete': replaced(() => json(200, { masterplan: PLAN.masterplan })),
    'layers-name-songs': layered({ songId: 'Another Song' }),
    'layers-name-stems': layered({ stem: 'guitar' }),
    'sections-in-order': planWith([...PLAN.masterplan.timeline].reverse()),
  },
  separation: {
    ...answersJson,
    ...files,
    'returns-four-stems': changed((body) => {
      const { bass: _removed, ...stems } = body['stems'] as Json;
      return { ...body, stems };
    }),
    'echoes-job-id': changed((body) => ({ ...body, job_id: String(body['job_id']).split('/')[0] })),
    'paths-below-job': changed((body) => ({
      ...body,
      stems: Object.fromEntries(
        Object.entries(body['stems'] as Record<string, string>).map(([stem]) => [stem, `stems/${stem}.wav`]),
      ),
    })),
    'uploads-stems': async (request, right) => {
      const response = await right();
      const upload = (request.body?.['uploads'] as Record<string, { url: string }> | undefined)?.['bass'];
      if (upload !== undefined && response.status === 200) await fetch(upload.url, { method: 'PUT', body: 'empty' });
      return response;
    },
  },
  processing: {
    'answers-with-events': replaced(({ text }) => ({ status: 200, type: 'application/json', text })),
    'progress-in-range': rendered(([first, , last]) => [
      first,
      { progress: 70, message: 'Mixing' },
      { progress: 30, message: 'Again' },
      last,
    ]),
    'ends-with-one-terminal-event': rendered((sent) => [...sent, { progress: 100, message: 'Cleaning up' }]),
    renders: replaced(() =>
      events({ progress: 0, message: 'Starting' }, { error: "'SongInfo' object is not subscriptable" }),
    ),
    'path-below-job': rendered((sent) => [
      ...sent.slice(0, -1),
      { progress: 100, message: 'Complete!', storage_path: 'generated/mashup.wav' },
    ]),
    'uploads-result': async (request, right) => {
      const response = await right();
      const upload = request.body?.['upload'] as { url: string } | undefined;
      if (upload !== undefined) await fetch(upload.url, { method: 'PUT', body: 'empty' });
      return response;
    },
    'reports-failure-as-event': async ({ text }, right) => {
      const response = await right();
      return text.includes('no-such-song') ? events({ progress: 0, message: 'Starting' }) : response;
    },
  },
};

/** The change that breaks each rule, by service. */
export const WRONG_SERVICES: { service: ServiceName; rule: string; change: Handler }[] = SERVICES.flatMap((service) =>
  Object.entries({ ...common(service), ...CHANGES[service] }).map(([rule, change]) => ({ service, rule, change })),
);
