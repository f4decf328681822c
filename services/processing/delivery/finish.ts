/** Finishes a mashup: mixes its sections, masters, encodes, checks the encoded file, and uploads it. */
import { restateKey } from '../../../music/theory/key-text.ts';
import type { OutputFormat, QualityCheck, RenderResult, UploadTarget } from '../../../schema.ts';
import { decodeAudio, SAMPLE_RATE } from '../../../audio/decode/decode.ts';
import type { DecodedAudio } from '../../../audio/decode/decode.ts';
import { encodeAudio } from '../../../audio/encode/encode.ts';
import { applyFilter } from '../../../audio/effects/filters.ts';
import { type LimiterReport, limitTruePeak } from '../../../audio/level/limiter.ts';
import { integratedLoudness } from '../../../audio/level/loudness.ts';
import type { AudioTags } from '../../../audio/encode/tags.ts';
import { RenderError } from '../errors.ts';
import { uploadMashup } from '../files/upload.ts';
import { heardKeyDistance, hearKey, statedKey } from '../measure/heard-key.ts';
import { measureFile } from '../measure/file.ts';
import type { FileMeasurement } from '../measure/file.ts';
import { checkFile, TARGET_LUFS } from '../quality/check-file.ts';
import { check, passesHardChecks } from '../quality/checks.ts';
import type { Channels } from '../sound/slice.ts';

const MAX_TRUE_PEAK_DBTP = -1;
const WAVEFORM_PEAKS_PER_SEC = 10;

/** Ceiling of the limiter. A lossy encoder raises peaks, so it is lower there. */
const CEILING_DB: Record<OutputFormat, number> = { wav: -1, flac: -1, mp3: -1.5 };
/** A quieter mix is silent: raising its level would raise noise. */
const SILENT_LUFS = -60;
const LOUDNESS_TOLERANCE_LU = 0.1;
const LOUDNESS_PASSES = 5;
const ENCODE_PASSES = 3;
/** Below the audible range, and above what loudspeakers cannot reproduce. */
export const SUBSONIC_HZ = 25;
export const LAST_FADE_SEC = 0.02;

/** The format of a mashup and where its file goes. */
export type Output = { format: OutputFormat; upload: UploadTarget };

export type FinishTask = {
  /** `offset` is the sample of the mashup at which the channels begin. */
  sections: { offset: number; channels: Channels }[];
  /** Length of the mashup in samples. */
  frames: number;
  bpm: number;
  /** Keys in which parts of the mashup are, the longest first; empty if no song with notes has a known key. */
  keys: string[];
  plannedKey: string;
  /** Title as planned, and names of songs, in which no key is changed. */
  title: { text: string; songs: string[] } | undefined;
  output: Output;
  /** What is delivered instead if the file would be larger than `maxBytes`. */
  smaller?: Output;
  maxBytes?: number;
  artist: string | undefined;
  /** Seconds at which sections or loops are joined. */
  splices: number[];
  layerChecks: QualityCheck[];
  corrections: string[];
  warnings: string[];
};

function mixSections(task: FinishTask): Channels {
  const mix: Channels = [new Float32Array(task.frames), new Float32Array(task.frames)];
  for (const { offset, channels } of task.sections) {
    for (const c of [0, 1] as const) {
      const target = mix[c];
      const source = channels[c];
      const to = Math.min(source.length, task.frames - offset);
      for (let i = Math.max(0, -offset); i < to; i++) target[offset + i]! += source[i]!;
    }
  }
  const fade = Math.min(task.frames, Math.round(LAST_FADE_SEC * SAMPLE_RATE));
  for (const samples of mix) for (let i = 0; i < fade; i++) samples[task.frames - 1 - i]! *= i / fade;
  return mix;
}

/**
 * Writes the mix to `into`, at the target loudness and below the ceiling. Limiting lowers the loudness, so the gain is found
 * iteratively. Returns the report of the last limiter pass.
 */
function master(mix: Channels, ceilingDb: number, into: Channels): LimiterReport {
  let gainDb = TARGET_LUFS - integratedLoudness(mix, SAMPLE_RATE);
  for (let pass = 1; ; pass++) {
    const gain = 10 ** (gainDb / 20);
    for (const c of [0, 1] as const) for (let i = 0; i < mix[c].length; i++) into[c][i] = mix[c][i]! * gain;
    const limited = limitTruePeak(into, SAMPLE_RATE, ceilingDb);
    const missing = TARGET_LUFS - integratedLoudness(into, SAMPLE_RATE);
    if (Math.abs(missing) < LOUDNESS_TOLERANCE_LU || pass === LOUDNESS_PASSES) return limited;
    gainDb += missing;
  }
}

/** Peaks 0..1 of the mashup for display, rounded to thousandths. */
function waveform(channels: Channels): { peaks_per_sec: number; peaks: number[] } {
  const width = SAMPLE_RATE / WAVEFORM_PEAKS_PER_SEC;
  const peaks = Array.from({ length: Math.ceil(channels[0].length / width) }, (_, k) => {
    let peak = 0;
    const end = Math.min(channels[0].length, (k + 1) * width);
    for (const samples of channels) for (let i = k * width; i < end; i++) peak = Math.max(peak, Math.abs(samples[i]!));
    return Math.min(1, Math.round(peak * 1000) / 1000);
  });
  return { peaks_per_sec: WAVEFORM_PEAKS_PER_SEC, peaks };
}

type Encoded = {
  output: Output;
  bytes: Uint8Array<ArrayBuffer>;
  decoded: DecodedAudio;
  measured: FileMeasurement;
  limited: LimiterReport;
};

/**
 * Masters and encodes a mix. If encoding raised a peak above the limit, the mix is limited further and encoded again. If the file
 * is too large, it is encoded in the smaller format.
 */
async function encodeMix(
  mix: Channels,
  task: FinishTask,
  tags: AudioTags,
  onProgress: (message: string) => void,
): Promise<Encoded> {
  const channels: Channels = [new Float32Array(task.frames), new Float32Array(task.frames)];
  const { smaller, maxBytes = Infinity } = task;
  let { output } = task;
  let ceilingDb = CEILING_DB[output.format];
  for (let pass = 1; ; pass++) {
    onProgress(`Mastering to ${TARGET_LUFS} LUFS`);
    const limited = master(mix, ceilingDb, channels);
    onProgress(`Encoding ${output.format}`);
    const bytes = await encodeAudio(channels, SAMPLE_RATE, output.format, tags);
    if (smaller && output !== smaller && bytes.length > maxBytes) {
      output = smaller;
      ceilingDb = CEILING_DB[output.format];
      pass = 0;
      continue;
    }
    const decoded = await decodeAudio(bytes, { limits: { minSec: 0, maxBytes: bytes.length } });
    const measured = measureFile(decoded.channels, SAMPLE_RATE, task.splices);
    const excess = measured.true_peak_dbtp - MAX_TRUE_PEAK_DBTP;
    if (excess <= 0 || pass === ENCODE_PASSES) return { output, bytes, decoded, measured, limited };
    ceilingDb -= excess + 0.05;
  }
}

function tagsOf({ title, artist, bpm, plannedKey }: FinishTask, key: string): AudioTags {
  return {
    ...(title && { title: restateKey(title.text, plannedKey, key, title.songs) }),
    ...(artist !== undefined && { artist }),
    bpm,
    key,
  };
}

/**
 * Finishes and uploads a mashup. The values of the result are measured on the encoded file after decoding it again.
 * @throws RenderError render_silent, upload_failed, upload_too_large, storage_unavailable
 */
export async function finishMashup(
  task: FinishTask,
  onProgress: (message: string) => void,
): Promise<{ storage_path: string; result: RenderResult }> {
  const mix = mixSections(task);
  applyFilter(mix, SAMPLE_RATE, { kind: 'high-pass', frequency: SUBSONIC_HZ });
  if (integratedLoudness(mix, SAMPLE_RATE) < SILENT_LUFS) {
    const hint = 'Use stems that are not silent, or raise the levels.';
    throw new RenderError('render_silent', 'The mashup would be silent', hint);
  }
  const heard = await hearKey(mix, SAMPLE_RATE);
  const key = statedKey(task.keys, heard, task.plannedKey);
  const tags = tagsOf(task, key);
  const { output, bytes, decoded, measured, limited } = await encodeMix(mix, task, tags, onProgress);
  const { format, upload } = output;
  const checks = [
    ...task.layerChecks,
    check('heard_key', heardKeyDistance(task.keys, heard)),
    check('limiting', limited.p95_reduction_db),
    ...checkFile(measured, decoded.format, { durationSec: task.frames / SAMPLE_RATE, format }),
  ];
  onProgress('Uploading the mashup');
  await uploadMashup(upload, bytes, format);
  const faults = checks.flatMap(({ message, name }) => (message && name !== 'tempo_change' ? [message] : []));
  return {
    storage_path: upload.path,
    result: {
      duration_sec: decoded.duration_sec,
      loudness_lufs: measured.loudness_lufs,
      true_peak_dbtp: measured.true_peak_dbtp,
      sample_rate: SAMPLE_RATE,
      channels: 2,
      format,
      bytes: bytes.length,
      bpm: task.bpm,
      key,
      waveform: waveform(decoded.channels),
      quality: { passed: passesHardChecks(checks), corrections: task.corrections, checks },
      // `task.warnings` name the songs whose tempo is changed.
      warnings: [...faults, ...task.warnings],
    },
  };
}
