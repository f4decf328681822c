/** Parses the calls of the faulty services, and produces their results. */
import { AnalyzeRequest, PlanRequest, RenderRequest, SeparateRequest, STEMS } from '../../schema.ts';
import type { ServiceName, UploadTarget } from '../../schema.ts';
import type { CallFault } from './fault-plan.ts';
import { wavOfText } from './stress-wav.ts';
import type { Signature } from './stress-wav.ts';

const SONG_SEC = 40;
/** Bytes of a truncated file: less than a WAV header. */
const TRUNCATED_BYTES = 40;

export interface ServiceCall {
  service: ServiceName;
  /** The song of the task, or the first song of its job. With the service it identifies the task, in every attempt. */
  songId: string;
  /** The claim token of a render. */
  claim?: string;
  /** Writes the files and returns the response. `missing_file` and `truncated_file` write nothing or too little. */
  run(aborted: AbortSignal, fault: CallFault | undefined): Promise<unknown>;
}

/** Parses the body of a call. */
export function parseCall(service: ServiceName, body: unknown): ServiceCall {
  return PARSERS[service](body);
}

const PARSERS: Record<ServiceName, (body: unknown) => ServiceCall> = {
  analysis(body) {
    const { song_id: songId } = AnalyzeRequest.parse(body);
    const response = { success: true, songId, analysis: analysisOf(songId) };
    return { service: 'analysis', songId, run: () => Promise.resolve(response) };
  },
  scoring(body) {
    // The request contains no ids. The replayed analysis has the id of its song as a chord.
    const { harmonic } = (body as { song1_analysis: { harmonic: { chord_progression: string[] } } }).song1_analysis;
    return { service: 'scoring', songId: harmonic.chord_progression[0] ?? '', run: () => Promise.resolve(SCORE) };
  },
  orchestrator(body) {
    const songs = PlanRequest.parse(body).mashup?.songs ?? [];
    const songIds = songs.map((song) => song.song_id);
    return { service: 'orchestrator', songId: songIds[0] ?? '', run: () => Promise.resolve(planOf(songIds)) };
  },
  separation: parseSeparation,
  processing: parseRender,
};

function parseSeparation(body: unknown): ServiceCall {
  const { job_id, uploads } = SeparateRequest.parse(body);
  const [, , songId = ''] = job_id.split('/');
  return {
    service: 'separation',
    songId,
    async run(aborted, fault) {
      for (const stem of STEMS)
        if (fault !== 'missing_file' && uploads) await upload(uploads[stem], wavOfText(job_id), aborted, fault);
      return {
        success: true,
        job_id,
        model: 'stress',
        stems: Object.fromEntries(STEMS.map((stem) => [stem, `stems/${job_id}/${stem}.wav`])),
      };
    },
  };
}

function parseRender(body: unknown): ServiceCall {
  const { job_id, songs, masterplan, upload: target } = RenderRequest.parse(body);
  const [, job = '', epoch = '', claim = ''] = /^([^/]+)\/(\d+)-(.+)$/.exec(job_id) ?? [];
  const signature: Signature = { job, epoch: Number(epoch), claim, title: masterplan.title ?? '' };
  return {
    service: 'processing',
    claim,
    songId: songs[0]?.song_id ?? '',
    async run(aborted, fault) {
      if (fault !== 'missing_file' && target)
        await upload(target, wavOfText(JSON.stringify(signature)), aborted, fault);
      return { storage_path: target?.path };
    },
  };
}

/** An upload failed. */
export class UploadError extends Error {}

async function upload(
  target: UploadTarget,
  bytes: Buffer<ArrayBuffer>,
  aborted: AbortSignal,
  fault: CallFault | undefined,
): Promise<void> {
  // `late_write` writes although its caller has left.
  if (fault !== 'late_write') aborted.throwIfAborted();
  const body = fault === 'truncated_file' ? bytes.subarray(0, TRUNCATED_BYTES) : bytes;
  const response = await fetch(target.url, { method: 'PUT', body, headers: { 'content-type': 'audio/wav' } }).catch(
    (cause: unknown) => {
      throw new UploadError('Storage did not answer an upload', { cause });
    },
  );
  if (!response.ok) throw new UploadError(`Storage refused an upload: ${response.status}`);
}

function analysisOf(songId: string): object {
  return {
    version: 'stress-1',
    duration_sec: SONG_SEC,
    harmonic: {
      key: 'A minor',
      key_confidence: 0.8,
      camelot: '8A',
      chord_progression: [songId],
      chord_complexity: 0.2,
    },
    rhythmic: { bpm: 120, beat_confidence: 0.9, groove_stability: 0.9, swing_factor: 0 },
    spectral: { mfccs: Array.from({ length: 13 }, (_, i) => [i]), dynamic_range: 12, brightness: 2000 },
    vocal: { vocal_presence: 0.5 },
    has_timbre: true,
  };
}

const PART = { score: 80 };
const SCORE = {
  overall_score: 80,
  dimension_scores: { harmonic: 80, rhythmic: 80, spectral: 80, vocal: 80 },
  compatibility_breakdown: { harmonic: PART, rhythmic: PART, spectral: PART, vocal: PART },
  recommendations: [],
  warnings: [],
};

let plans = 0;

/** Returns a plan with a unique title, so that a file shows which plan it was rendered from. */
function planOf(songIds: string[]): object {
  const layers = songIds.map((songId, i) => ({
    songId,
    stem: i === 0 ? 'drums' : 'vocals',
    volume_db: -6,
    effects: [],
  }));
  const section = (start: number, energy: number): object => ({
    time_start_sec: start,
    duration_sec: 16,
    description: 'stress',
    energy_level: energy,
    layers,
  });
  return {
    creative_vision: 'A plan of the stress test.',
    source: 'rules',
    masterplan: {
      title: `Stress ${++plans}`,
      artistCredits: 'A vs. B',
      global: { targetBPM: 120, targetKey: 'A minor', timeSignature: [4, 4] },
      timeline: [section(0, 0.3), section(16, 0.9), section(32, 0.5), section(48, 0.2)],
      problems_and_solutions: [],
    },
  };
}
