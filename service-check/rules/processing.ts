/** Rules of the rendering service. Its answer is a stream of events. */
import { STEMS } from '../../schema/constants.ts';
import { expect, NotChecked } from '../rule.ts';
import type { Probe, Rule } from '../rule.ts';
import { TEST_BEATS, TEST_BPM, TEST_SONG_SEC } from '../test-song.ts';
import { COMMON_RULES } from './common.ts';
import { sampleAnalysis } from './sample-analyses.ts';
import type { MakeBody } from './common.ts';

const SONG_IDS = ['check-song-1', 'check-song-2'];
/** Two sections of two bars each. */
const SECTION_SEC = 4;
/** A rendered file is longer than this, in bytes. */
const MIN_RESULT_BYTES = 10_000;

type Event = Record<string, unknown>;

const resultPath = ({ jobId }: Probe): string => `generated/${jobId}/check.wav`;

function bodyWith(probe: Probe, firstSong: string): Record<string, unknown> {
  const layers = (songId: string, stems: string[]): object[] =>
    stems.map((stem) => ({ songId, stem, volume_db: -6, effects: [] }));
  return {
    job_id: probe.jobId,
    masterplan: {
      title: 'Check',
      artistCredits: 'A vs. B',
      global_settings: { targetBPM: TEST_BPM, targetKey: 'A minor', timeSignature: [4, 4] },
      timeline: [0, 1].map((n) => ({
        time_start_sec: n * SECTION_SEC,
        duration_sec: SECTION_SEC,
        description: `Section ${n + 1}`,
        energy_level: 0.5,
        layers: [
          ...layers(firstSong, ['drums', 'bass']),
          ...layers(SONG_IDS[1] ?? '', n === 0 ? ['other'] : ['vocals']),
        ],
      })),
    },
    songs: SONG_IDS.map((id) => ({
      song_id: id,
      name: id,
      storage_path: `uploads/check/${id}/song.wav`,
      analysis: analysisOf(id),
      stems: Object.fromEntries(STEMS.map((stem) => [stem, probe.files.urlOf(`${stem}.wav`)])),
    })),
    upload: { path: resultPath(probe), url: probe.files.uploadUrl(resultPath(probe)) },
    unknown_member: true,
  };
}

/** The analysis of the test song, with the beats that a renderer needs. */
function analysisOf(songId: string): Record<string, unknown> {
  const analysis = sampleAnalysis(0);
  return {
    ...analysis,
    song_id: songId,
    duration_sec: TEST_SONG_SEC,
    has_timbre: true,
    rhythmic: {
      ...(analysis['rhythmic'] as object),
      bpm: TEST_BPM,
      beats_sec: TEST_BEATS,
      downbeats_sec: TEST_BEATS.filter((_beat, n) => n % 4 === 0),
      meter: 4,
    },
  };
}

/** The valid request. */
export const processingBody: MakeBody = (probe) => bodyWith(probe, SONG_IDS[0] ?? '');

/** The texts after `data:` of a stream. */
function dataOf(stream: string): string[] {
  return stream
    .split(/\r?\n\r?\n/)
    .flatMap((block) => block.split(/\r?\n/).filter((line) => line.startsWith('data:')))
    .map((line) => line.slice('data:'.length).trim());
}

function readEvents(stream: string): Event[] {
  return dataOf(stream).flatMap((text) => {
    try {
      const event: unknown = JSON.parse(text);
      return typeof event === 'object' && event !== null ? [event as Event] : [];
    } catch {
      return [];
    }
  });
}

const isTerminal = (event: Event): boolean =>
  typeof event['error'] === 'string' || typeof event['storage_path'] === 'string';

async function eventsOf({ work }: Probe): Promise<Event[]> {
  return readEvents((await work()).text);
}

async function pathOf(probe: Probe): Promise<string> {
  const path = (await eventsOf(probe)).find((event) => typeof event['storage_path'] === 'string')?.['storage_path'];
  if (typeof path !== 'string') throw new NotChecked('no mashup was rendered');
  return path;
}

export const PROCESSING_RULES: readonly Rule[] = [
  ...COMMON_RULES,
  {
    name: 'answers-with-events',
    text: 'The answer has the type text/event-stream, and each `data:` line is a JSON object.',
    async check({ work }) {
      const reply = await work();
      expect(/^text\/event-stream\b/i.test(reply.contentType), `its type is "${reply.contentType}"`);
      const lines = dataOf(reply.text);
      expect(lines.length > 0, 'there are no events');
      expect(readEvents(reply.text).length === lines.length, 'an event is not a JSON object');
    },
  },
  {
    name: 'progress-in-range',
    text: '`progress` is a number from 0 to 100 and does not fall.',
    async check(probe) {
      let last = 0;
      for (const { progress } of await eventsOf(probe)) {
        if (progress === undefined) continue;
        const value = Number(progress);
        expect(value >= 0 && value <= 100, `it is ${JSON.stringify(progress)}`);
        expect(value >= last, `it falls from ${last} to ${value}`);
        last = value;
      }
    },
  },
  {
    name: 'ends-with-one-terminal-event',
    text: 'The last event, and no other, has `storage_path` or `error`.',
    async check(probe) {
      const events = await eventsOf(probe);
      const ends = events.filter(isTerminal).length;
      const last = events.at(-1);
      expect(ends === 1 && last !== undefined && isTerminal(last), `${ends} of ${events.length} events are terminal`);
    },
  },
  {
    name: 'renders',
    text: 'A valid plan is rendered: the stream ends with `storage_path`.',
    async check(probe) {
      const failed = (await eventsOf(probe)).find((event) => typeof event['error'] === 'string');
      expect(failed === undefined, `the service says: ${String(failed?.['error']).slice(0, 300)}`);
      await pathOf(probe);
    },
  },
  {
    name: 'path-below-job',
    text: '`storage_path` begins with `generated/<job_id>`.',
    async check(probe) {
      const path = await pathOf(probe);
      expect(path.startsWith(`generated/${probe.jobId}`), `it is ${path}`);
    },
  },
  {
    name: 'uploads-result',
    text: 'A service without a key of its own sends the file with PUT to the URL that it was given.',
    async check(probe) {
      const path = await pathOf(probe);
      if (path !== resultPath(probe)) throw new NotChecked('the service writes to Storage with a key of its own');
      const bytes = probe.files.uploaded(path)?.length ?? 0;
      expect(bytes > MIN_RESULT_BYTES, `${bytes} bytes arrived`);
    },
  },
  {
    name: 'reports-failure-as-event',
    text: 'A plan that cannot be rendered, with a song that is not there, ends the stream with an event with `error`.',
    async check(probe) {
      await probe.work();
      const reply = await probe.post('unknown-song', bodyWith(probe, 'no-such-song'));
      const last = readEvents(reply.text).at(-1);
      expect(typeof last?.['error'] === 'string', `the last event is ${JSON.stringify(last ?? null).slice(0, 200)}`);
    },
  },
];
