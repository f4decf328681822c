/** The end of a render: sections summed, brought to delivery level, encoded, measured as delivered, and uploaded. */
import type { OutputFormat, QualityCheck, RenderResult, UploadTarget } from '../../../schema.ts';
import { decodeAudio, SAMPLE_RATE } from '../../../audio/decode/decode.ts';
import { CONTENT_TYPES, encodeAudio } from '../../../audio/encode/encode.ts';
import { applyFilter } from '../../../audio/effects/filters.ts';
import { type LimiterReport, limitTruePeak } from '../../../audio/level/limiter.ts';
import { integratedLoudness } from '../../../audio/level/loudness.ts';
import type { AudioTags } from '../../../audio/encode/tags.ts';
import { check, inWords, isSound } from '../quality/checks.ts';
import { hearFile } from '../measure/file.ts';
import { judgeFile } from '../quality/check-file.ts';
import { RenderError } from '../errors.ts';
import { reconnecting } from '../files/retry-connection.ts';

const TARGET_LUFS = -14;
const MAX_TRUE_PEAK_DBTP = -1;
const WAVEFORM_PEAKS_PER_SEC = 10;

/** A lossy encoder moves peaks; this is room for it. */
const CEILING_DB: Record<OutputFormat, number> = { wav: -1, flac: -1, mp3: -1.5 };
/** Louder than this is left to the limiter alone; bringing up less would bring up noise. */
const SILENT_LUFS = -60;
const LOUDNESS_TOLERANCE_LU = 0.1;
const LOUDNESS_PASSES = 5;
const ENCODE_PASSES = 3;
/** Below hearing, above what a loudspeaker can use. */
const SUBSONIC_HZ = 25;
const LAST_FADE_SEC = 0.02;
const UPLOAD_TIMEOUT_MS = 120_000;

type Channels = [Float32Array, Float32Array];

export type FinishTask = {
  sections: { offset: number; channels: Channels }[];
  frames: number;
  bpm: number;
  key: string;
  format: OutputFormat;
  tags: AudioTags;
  upload: UploadTarget;
  /** Seconds at which pieces meet. */
  splices: number[];
  /** What was heard of the layers. */
  heard: { checks: QualityCheck[]; corrections: string[] };
  warnings: string[];
};

function sumSections(task: FinishTask): Channels {
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
 * Writes the mix at the target loudness and under the ceiling to `into`. Limiting takes loudness away, so the gain is
 * found by trying. Returns what the limiter did in the end.
 */
function bringToLevel(mix: Channels, ceilingDb: number, into: Channels): LimiterReport {
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

async function upload(target: UploadTarget, bytes: Uint8Array, format: OutputFormat): Promise<void> {
  const refused = (message: string, cause?: unknown): RenderError =>
    new RenderError('upload_failed', message, 'Render again with a fresh signed upload URL.', cause);
  let response: Response;
  try {
    const put = (): Promise<Response> =>
      fetch(target.url, {
        method: 'PUT',
        headers: { 'content-type': CONTENT_TYPES[format] },
        body: bytes as Uint8Array<ArrayBuffer>,
        signal: AbortSignal.timeout(UPLOAD_TIMEOUT_MS),
      });
    response = await reconnecting(put, (error) => error instanceof TypeError);
  } catch (cause) {
    throw refused('The mashup could not be uploaded: no connection', cause);
  }
  await response.body?.cancel();
  if (!response.ok) throw refused(`The mashup could not be uploaded: the storage answered ${response.status}`);
}

/**
 * Finishes and uploads a mashup. What the result says was measured on the encoded file after decoding it again.
 * @throws RenderError render_silent, upload_failed, render_failed
 */
export async function finishMashup(task: FinishTask, onProgress: (message: string) => void): Promise<RenderResult> {
  const mix = sumSections(task);
  applyFilter(mix, SAMPLE_RATE, { kind: 'high-pass', frequency: SUBSONIC_HZ });
  if (integratedLoudness(mix, SAMPLE_RATE) < SILENT_LUFS) {
    throw new RenderError(
      'render_silent',
      'The mashup would be silent',
      'Use stems that have sound, or raise the levels.',
    );
  }
  let ceilingDb = CEILING_DB[task.format];
  const channels: Channels = [new Float32Array(task.frames), new Float32Array(task.frames)];
  for (let pass = 1; ; pass++) {
    onProgress('Mastering to -14 LUFS');
    const limited = bringToLevel(mix, ceilingDb, channels);
    onProgress(`Encoding ${task.format}`);
    const bytes = await encodeAudio(channels, SAMPLE_RATE, task.format, task.tags);
    const decoded = await decodeAudio(bytes, { limits: { minSec: 0, maxBytes: bytes.length } });
    const measured = hearFile(decoded.channels, SAMPLE_RATE, task.splices);
    const over = measured.true_peak_dbtp - MAX_TRUE_PEAK_DBTP;
    if (over > 0 && pass < ENCODE_PASSES) {
      ceilingDb -= over + 0.05;
      continue;
    }
    const asked = { durationSec: task.frames / SAMPLE_RATE, format: task.format };
    const checks = [
      ...task.heard.checks,
      check('limiting', limited.p95_reduction_db),
      ...judgeFile(measured, decoded.format, asked),
    ];
    onProgress('Uploading the mashup');
    await upload(task.upload, bytes, task.format);
    return {
      duration_sec: decoded.duration_sec,
      loudness_lufs: measured.loudness_lufs,
      true_peak_dbtp: measured.true_peak_dbtp,
      sample_rate: SAMPLE_RATE,
      channels: 2,
      format: task.format,
      bytes: bytes.length,
      bpm: task.bpm,
      key: task.key,
      waveform: waveform(decoded.channels),
      quality: { passed: isSound(checks), corrections: task.heard.corrections, checks },
      warnings: [...task.warnings, ...checks.filter((each) => !each.passed && each.kind === 'hard').map(inWords)],
    };
  }
}
