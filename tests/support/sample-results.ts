/** A small successful result for a task of each kind. */
import type { TaskKind } from '../../schema.ts';
import { STEMS } from '../../schema/constants.ts';

/** What a result depends on. */
interface SampleTask {
  kind: TaskKind;
  song_id: string | null;
  songs: { song_id: string; state: string }[];
  output_prefix: string | null;
}

const RESULTS: Record<TaskKind, (task: SampleTask) => object> = {
  analyze: ({ song_id }) => ({
    content_hash: `hash-of-${song_id}`,
    version: 'test',
    analysis: { version: 'test' },
    card: { duration_sec: 40, bpm: 120, key: 'A minor' },
  }),
  score: (task) => {
    const ids = activeIds(task);
    return { pairs: ids.length < 2 ? [] : [{ song_pair: ids.slice(0, 2), score: 80 }] };
  },
  plan: (task) => ({ plan: planOf(activeIds(task)), source: 'rules', song_ids: activeIds(task) }),
  separate: ({ output_prefix }) => ({
    model: 'test',
    paths: {
      ...Object.fromEntries(STEMS.map((stem) => [stem, `${output_prefix}/${stem}.wav`])),
      drums: [1, 2].map((part) => `${output_prefix}/drums.${part}.flac`),
    },
  }),
  render_stems: ({ output_prefix, songs }) => ({
    result_path: `${output_prefix}.wav`,
    stems: {
      sample_rate: 44_100,
      total_frames: 1_400_000,
      ends: [1_318_912, 1_400_000],
      level_db: 0,
      residual_db: -70,
      files: songs.map(({ song_id }) => ({
        song_id,
        stem: 'drums',
        path: `${output_prefix}.stems/${song_id}-drums`,
        bytes: 1_000_000,
      })),
    },
  }),
  render: ({ output_prefix }) => ({
    path: `${output_prefix}.wav`,
    quality: {
      duration_sec: 32,
      loudness_lufs: -14,
      true_peak_dbtp: -1.2,
      format: 'wav',
      bytes: 5000000,
      bpm: 120,
      key: 'A minor',
      quality: { passed: false, corrections: [], checks: [] },
    },
    warnings: [
      { code: 'render_note', message: 'A note.' },
      { code: 'quality_check_failed', message: 'The voice does not fit the notes under it (0.2; at least 0.6).' },
    ],
  }),
};

/** Returns a result for a task (schema/task-results.ts). */
export function sampleResult(task: SampleTask): object {
  return RESULTS[task.kind](task);
}

function activeIds({ songs }: SampleTask): string[] {
  return songs.filter((song) => song.state !== 'excluded').map((song) => song.song_id);
}

/** A minimal plan that uses the given songs. */
function planOf(songIds: string[]): object {
  return {
    creative_vision: 'Two songs meet.',
    masterplan: {
      title: 'Test mashup',
      artistCredits: 'A vs. B',
      global: { targetBPM: 120, targetKey: 'A minor', timeSignature: [4, 4] },
      timeline: [
        {
          time_start_sec: 0,
          duration_sec: 32,
          description: 'all',
          energy_level: 0.5,
          layers: songIds.map((songId) => ({ songId, stem: 'drums', volume_db: -6, effects: [] })),
        },
      ],
      problems_and_solutions: [],
    },
  };
}
