/** Rules of all five services. */
import { ContractDetail, mismatch } from '../schemas.ts';
import { describe } from '../request.ts';
import { expect, NotChecked } from '../rule.ts';
import type { Probe, Rule } from '../rule.ts';
import { TOKEN } from '../file-server.ts';

/** The request that a service must accept, with a member that it does not know. */
export type MakeBody = (probe: Probe) => Record<string, unknown>;

/** Rules that hold for every service. */
export const COMMON_RULES: readonly Rule[] = [
  {
    name: 'shows-that-it-runs',
    text: 'GET /health or GET /openapi.json answers 200.',
    async check({ send }) {
      const replies = [await send('GET', '/health'), await send('GET', '/openapi.json')];
      const statuses = replies.map(({ status }) => status);
      expect(statuses.includes(200), `they answer ${statuses.join(' and ')}`);
    },
  },
  {
    name: 'refuses-empty-body',
    text: 'An empty object is refused with status 422.',
    async check({ post }) {
      const reply = await post('empty', {});
      expect(reply.status === 422, `the answer is ${describe(reply)}`);
    },
  },
  {
    name: 'names-missing-field',
    text: 'The 422 lists each missing field: {"detail": [{"loc": […], "msg": "…"}]}.',
    async check({ post }) {
      const reply = await post('empty', {});
      if (reply.status !== 422) throw new NotChecked('an empty object is not refused with 422');
      const { detail } = (ContractDetail.safeParse(reply.json).data ?? {}) as { detail?: unknown };
      expect(Array.isArray(detail), `the body is ${describe(reply)}`);
    },
  },
  {
    name: 'refuses-broken-json',
    text: 'A body that is not JSON is refused with status 400 or 422 and {"detail": …}.',
    async check({ send, path }) {
      const reply = await send('POST', path, '{"song_id": ');
      expect(reply.status === 422 || reply.status === 400, `the answer is ${describe(reply)}`);
      expect(mismatch(ContractDetail, reply.json) === undefined, `the body is ${describe(reply)}`);
    },
  },
  {
    name: 'unknown-path-is-404',
    text: 'A path that does not exist answers 404.',
    async check({ send }) {
      const reply = await send('POST', '/no-such-path', '{}');
      expect(reply.status === 404, `the answer is ${describe(reply)}`);
    },
  },
  {
    name: 'wrong-method-is-405',
    text: 'A GET of the path of the work answers 405.',
    async check({ send, path }) {
      const reply = await send('GET', path);
      expect(reply.status === 405, `the answer is ${describe(reply)}`);
    },
  },
  {
    name: 'accepts-request',
    text: 'The valid request is answered with status 200.',
    check: async ({ post }) => {
      // The body of the call was set when the check began.
      const reply = await post('valid', undefined);
      expect(reply.status === 200, `the answer is ${describe(reply)}`);
    },
  },
];

/** Rules of the services that answer with one JSON document. */
export const JSON_RULES: readonly Rule[] = [
  {
    name: 'answers-json',
    text: 'The answer has the type application/json and is JSON.',
    async check({ work }) {
      const reply = await work();
      expect(/^application\/json\b/i.test(reply.contentType), `its type is "${reply.contentType}"`);
      expect(reply.json !== undefined, `the body is ${describe(reply)}`);
    },
  },
];

/** Rules of the services that fetch a file of the caller. `body`: the valid request with a URL that answers 404. */
export function fileRules(bodyWithoutFile: MakeBody): readonly Rule[] {
  return [
    {
      name: 'reports-missing-file',
      text: 'A file that cannot be fetched is an error: status 4xx or 5xx with {"detail": "…"}.',
      async check(probe) {
        const reply = await probe.post('no-file', bodyWithoutFile(probe));
        expect(reply.status >= 400, `the answer is ${describe(reply)}`);
        expect(mismatch(ContractDetail, reply.json) === undefined, `the body is ${describe(reply)}`);
      },
    },
    {
      name: 'hides-signed-urls',
      text: 'Errors do not repeat the query string of a signed URL.',
      isAdvice: true,
      async check(probe) {
        const reply = await probe.post('no-file', bodyWithoutFile(probe));
        expect(!reply.text.includes(TOKEN), 'the error contains the token of the URL');
      },
    },
  ];
}
