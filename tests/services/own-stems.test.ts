/** Stems of one's own in the separation service: what is accepted, how it is laid over the song, and what is refused. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { decodeAudio } from '../../audio/decode/decode.ts';
import { filesOf, SeparateResponse, STEMS } from '../../schema.ts';
import type { OwnStem, ServiceErrorBody, Stem, TimeRange } from '../../schema.ts';
import { createSeparationServer } from '../../services/separation/server.ts';
import { amplified, errorDb, mix, mixOf, moved, songStems, wavOf } from './own-stems-songs.ts';
import type { Sound } from './own-stems-songs.ts';

const stems = songStems(1);
const song = mixOf(stems);
const instrumental = mix(stems.drums, stems.bass, stems.other);

/** Files that the service downloads, and what it uploaded. */
const files = new Map<string, Uint8Array>();
const storage = createServer((request, response) => {
  const path = request.url ?? '';
  if (request.method === 'PUT') {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      files.set(path, Buffer.concat(pieces));
      response.end('{}');
    });
    return;
  }
  const file = files.get(path);
  response.writeHead(file ? 200 : 404).end(file);
});
const service = createSeparationServer();
const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

before(async () => {
  for (const server of [storage, service]) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
});
after(() => {
  storage.close();
  service.close();
});

let requests = 0;

/** Requests a separation with stems of one's own. @param given no song: it is the sum of the stems */
async function request(
  given: Sound | undefined,
  own: Partial<Record<OwnStem, Sound | Uint8Array>>,
  ranges?: TimeRange[],
) {
  const id = `job-${requests++}`;
  const serve = (name: string, sound: Sound | Uint8Array): string => {
    files.set(`/${id}/${name}`, sound instanceof Uint8Array ? sound : wavOf(sound));
    return `${urlOf(storage)}/${id}/${name}`;
  };
  const urls = Object.fromEntries(Object.entries(own).map(([stem, sound]) => [stem, serve(stem, sound)]));
  const target = (path: string) => ({ path, url: `${urlOf(storage)}/${path}` });
  const uploads = Object.fromEntries(
    STEMS.map((stem) => [
      stem,
      { ...target(`${id}/${stem}.wav`), parts: [1, 2, 3].map((part) => target(`${id}/${stem}.${part}.flac`)) },
    ]),
  );
  const response = await fetch(`${urlOf(service)}/separate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      audio_url: given ? serve('song', given) : `${urlOf(storage)}/none`,
      job_id: id,
      uploads,
      own_stems: { urls, has_song: given !== undefined },
      ranges,
    }),
  });
  return { status: response.status, body: (await response.json()) as unknown };
}

/** Requests a separation that succeeds. Returns the stems that were uploaded. */
async function separate(...args: Parameters<typeof request>) {
  const { status, body } = await request(...args);
  assert.equal(status, 200, JSON.stringify(body));
  const { stems: paths, pieces, model, warnings } = SeparateResponse.parse(body);
  const read = async (path: string): Promise<Sound> =>
    (await decodeAudio(files.get(`/${path}`)!, { limits: { minSec: 0 } })).channels;
  const silent: Sound = [new Float32Array(0), new Float32Array(0)];
  const load = async (stem: Stem): Promise<[Stem, Sound]> => {
    const path = filesOf((paths ?? pieces![0]!)[stem])[0]!;
    return [stem, await read(path).catch(() => silent)];
  };
  const made = Object.fromEntries(await Promise.all(STEMS.map(load))) as Record<Stem, Sound>;
  return { made, model, warnings, pieces };
}

/** Asserts that a stem is a sound, but for an error (dB). */
const assertIs = (made: Sound, expected: Sound, belowDb: number, what: string): void => {
  const error = errorDb(expected, made);
  assert.ok(error < belowDb, `${what}: an error of ${error.toFixed(1)} dB`);
};

describe('stems of one’s own', () => {
  it('an acapella is the vocals, and the rest is separated without them', async () => {
    const { made, model, warnings } = await separate(song, { vocals: stems.vocals });
    assert.equal(model, 'own+dsp-4');
    assert.deepEqual(warnings, []);
    assertIs(made.vocals, stems.vocals, -50, 'vocals');
    assertIs(mix(made.drums, made.bass, made.other), instrumental, -50, 'the rest');
  });

  it('of an instrumental the vocals are what it lacks', async () => {
    const { made, model } = await separate(song, { instrumental });
    assert.equal(model, 'own+dsp-4');
    assertIs(made.vocals, stems.vocals, -30, 'vocals');
    assertIs(mix(made.drums, made.bass, made.other), instrumental, -50, 'the rest');
  });

  it('a single missing stem is what is left, without a separation', async () => {
    const { vocals, drums, bass } = stems;
    const { made, model } = await separate(song, { vocals, drums, bass });
    assert.equal(model, 'own');
    assertIs(made.other, stems.other, -20, 'other');
    assertIs(mixOf(made), song, -50, 'sum');
  });

  it('all four stems are kept, at the level of the song', async () => {
    const quiet = Object.fromEntries(STEMS.map((stem) => [stem, amplified(stems[stem], 0.4)]));
    const { made, model } = await separate(song, quiet);
    assert.equal(model, 'own');
    for (const stem of STEMS) assertIs(made[stem], stems[stem], -25, stem);
  });

  it('stems without a song are kept as they are, and missing ones are silent', async () => {
    const { vocals, drums } = stems;
    const { made, model } = await separate(undefined, { vocals, drums });
    assert.equal(model, 'own');
    assertIs(made.vocals, vocals, -60, 'vocals');
    assertIs(made.drums, drums, -60, 'drums');
    assert.equal(made.bass[0].length, 0);
  });

  it('an acapella alone, or an instrumental alone, is a song', async () => {
    const acapella = await separate(undefined, { vocals: stems.vocals });
    assert.equal(acapella.model, 'own');
    assertIs(acapella.made.vocals, stems.vocals, -60, 'vocals');
    const { made, model } = await separate(undefined, { instrumental });
    assert.equal(model, 'own+dsp-4');
    assert.equal(made.vocals[0].length, 0);
    assertIs(mix(made.drums, made.bass, made.other), instrumental, -50, 'the rest');
  });

  it('parts of a song have the same samples as the whole of it', async () => {
    const { made, pieces } = await separate(song, { vocals: stems.vocals }, [{ start_sec: 4.5, end_sec: 7 }]);
    assert.deepEqual(
      pieces?.map(({ start_sec, end_sec }) => [start_sec, end_sec]),
      [[4, 8]],
    );
    const part = (sound: Sound): Sound => moved(sound, -4 * 44_100, 4 * 44_100);
    assertIs(made.vocals, part(stems.vocals), -50, 'vocals');
    assertIs(mixOf(made), part(song), -50, 'sum');
  });
});

describe('files that do not belong to the song are refused', () => {
  const cases: [string, Sound | undefined, Partial<Record<OwnStem, Sound | Uint8Array>>, string, RegExp][] = [
    [
      'vocals of another song',
      song,
      { vocals: songStems(7, 1.23).vocals },
      'own_stems_mismatch',
      /given as vocals is of another song/,
    ],
    [
      'stems without a song of other lengths',
      undefined,
      { vocals: stems.vocals, drums: moved(stems.drums, 0, 44_100 * 20) },
      'own_stems_mismatch',
      /vocals is 7 s long and that given as drums 20 s/,
    ],
    [
      'a text',
      song,
      { vocals: new TextEncoder().encode('la la la '.repeat(200)) },
      'audio_unsupported_format',
      /given as vocals cannot be used/,
    ],
    ['silence', song, { drums: moved(stems.drums, 44_100 * 60) }, 'audio_silent', /given as drums cannot be used/],
  ];
  for (const [what, given, own, code, message] of cases) {
    it(what, async () => {
      const { status, body } = await request(given, own);
      const error = body as ServiceErrorBody;
      assert.equal(status, 400, JSON.stringify(error));
      assert.equal(error.code, code);
      assert.match(String(error.detail), message);
    });
  }
});
