/** Finishes a mashup: mixes its sections, masters, encodes, checks what is delivered, and uploads it. */
import { restateKey } from '../../../music/theory/key-text.ts';
import type {
  AsRendered,
  Mastering,
  OutputFormat,
  QualityCheck,
  RenderResult,
  SongAnalysis,
  UploadTarget,
} from '../../../schema.ts';
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { detectFormat } from '../../../audio/decode/detect.ts';
import { writeMp3 } from '../../../audio/encode/encode-mp3.ts';
import type { AudioTags } from '../../../audio/encode/tags.ts';
import type { LimiterReport } from '../../../audio/level/limiter.ts';
import { RenderError } from '../errors.ts';
import { uploadMashup } from '../files/upload.ts';
import { heardKeyDistance, hearKey, statedKey } from '../measure/heard-key.ts';
import { checkFile, TARGET_LUFS } from '../quality/check-file.ts';
import { check, passesHardChecks } from '../quality/checks.ts';
import type { Channels } from '../sound/slice.ts';
import { encodeMaster, type EncodeTask } from './encode.ts';
import { CEILING_DB, type Master, masterMix, type MasterTask } from './master.ts';
import { type DeliveryMeasurement, measureDelivery, type MeasureTask } from './measure.ts';
import { type Mix, mixSections, type MixTask } from './mix.ts';

const MAX_TRUE_PEAK_DBTP = -1;

/** A quieter mix is silent: raising its level would raise noise. */
const SILENT_LUFS = -60;
const ENCODE_PASSES = 3;

/** The format of a mashup and where its file goes. */
export type Output = { format: OutputFormat; upload: UploadTarget };

export type FinishTask = MixTask & {
  bpm: number;
  /** Keys in which parts of the mashup are, the longest first; empty if no song with notes has a known key. */
  keys: string[];
  plannedKey: string;
  /** The key that the mashup has whatever is heard. */
  keptKey?: string | undefined;
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
  asRendered?: AsRendered | undefined;
  corrections: string[];
  warnings: string[];
};

/** The heavy steps of finishing. A render performs them in threads, some at the same time. */
export type FinishSteps = {
  mix: (task: MixTask) => Promise<Mix>;
  hear: (mix: Channels) => Promise<SongAnalysis['harmonic']>;
  master: (task: MasterTask) => Promise<Master>;
  encode: (task: EncodeTask) => Promise<Uint8Array<ArrayBuffer>>;
  measure: (task: MeasureTask) => Promise<DeliveryMeasurement>;
};

/** The steps in the thread of the caller. */
export const DIRECT_STEPS: FinishSteps = {
  mix: async (task) => mixSections(task),
  hear: (mix) => hearKey(mix, SAMPLE_RATE),
  master: async (task) => masterMix(task),
  encode: encodeMaster,
  measure: measureDelivery,
};

type Encoded = {
  output: Output;
  bytes: Uint8Array<ArrayBuffer>;
  measured: DeliveryMeasurement;
  limited: LimiterReport;
  mastering: Mastering;
};

/**
 * Masters and encodes a mix. If encoding raised a peak above the limit, the mix is limited further and encoded again. If the file
 * is too large, it is encoded in the smaller format.
 * @param tags those of the file, which are known later than the mix
 */
async function encodeMix(
  mix: Mix,
  task: FinishTask,
  tags: Promise<AudioTags>,
  steps: FinishSteps,
  onProgress: (message: string) => void,
): Promise<Encoded> {
  const { smaller, maxBytes = Infinity, splices } = task;
  let { output } = task;
  let ceilingDb = CEILING_DB[output.format];
  for (let pass = 1; ; pass++) {
    const { format } = output;
    onProgress(`Mastering to ${TARGET_LUFS} LUFS`);
    const { channels, limited, mastering } = await steps.master({ mix, format, ceilingDb });
    onProgress(`Encoding ${format}`);
    // The samples of a file without losses are known: they are measured while it is encoded.
    const known = format === 'mp3' ? undefined : steps.measure({ sound: channels, splices });
    const [bytes] = await Promise.all([encode(channels, format, tags, steps), known]);
    if (smaller && output !== smaller && bytes.length > maxBytes) {
      output = smaller;
      ceilingDb = CEILING_DB[output.format];
      pass = 0;
      continue;
    }
    const measured = await (known ?? steps.measure({ sound: bytes, splices }));
    const excess = measured.true_peak_dbtp - MAX_TRUE_PEAK_DBTP;
    if (excess <= 0 || pass === ENCODE_PASSES) return { output, bytes, measured, limited, mastering };
    ceilingDb -= excess + 0.05;
  }
}

async function encode(
  channels: Channels,
  format: OutputFormat,
  tags: Promise<AudioTags>,
  steps: FinishSteps,
): Promise<Uint8Array<ArrayBuffer>> {
  if (format !== 'mp3') return steps.encode({ channels, format, tags: await tags });
  return writeMp3(channels[0].length, tags, (part) => steps.encode({ channels, format, part }));
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
 * Finishes and uploads a mashup. The values of the result are measured on the samples of the encoded file.
 * @throws RenderError render_silent, upload_failed, upload_too_large, storage_unavailable
 */
export async function finishMashup(
  task: FinishTask,
  onProgress: (message: string) => void,
  steps = DIRECT_STEPS,
): Promise<{ storage_path: string; result: RenderResult }> {
  const { sections, frames } = task;
  const mix = await steps.mix({ sections, frames });
  if (mix.loudness < SILENT_LUFS) {
    const hint = 'Use stems that are not silent, or raise the levels.';
    throw new RenderError('render_silent', 'The mashup would be silent', hint);
  }
  const hearing = steps.hear(mix.channels);
  const keyOf = async (): Promise<string> => task.keptKey ?? statedKey(task.keys, await hearing, task.plannedKey);
  const tags = keyOf().then((key) => tagsOf(task, key));
  const [{ output, bytes, measured, limited, mastering }, heard, key] = await Promise.all([
    encodeMix(mix, task, tags, steps, onProgress),
    hearing,
    keyOf(),
    tags,
  ]);
  const { format, upload } = output;
  const checks = [
    ...task.layerChecks,
    check('heard_key', heardKeyDistance(task.keys, heard)),
    check('limiting', limited.p95_reduction_db),
    ...checkFile(measured, detectFormat(bytes) ?? '', { durationSec: frames / SAMPLE_RATE, format }),
  ];
  onProgress('Uploading the mashup');
  await uploadMashup(upload, bytes, format);
  const faults = checks.flatMap(({ message, name }) => (message && name !== 'tempo_change' ? [message] : []));
  return {
    storage_path: upload.path,
    result: {
      duration_sec: measured.duration_sec,
      loudness_lufs: measured.loudness_lufs,
      true_peak_dbtp: measured.true_peak_dbtp,
      sample_rate: SAMPLE_RATE,
      channels: 2,
      format,
      bytes: bytes.length,
      bpm: task.bpm,
      key,
      waveform: measured.waveform,
      quality: { passed: passesHardChecks(checks), corrections: task.corrections, checks },
      mastering,
      as_rendered: task.asRendered,
      // `task.warnings` name the songs whose tempo is changed.
      warnings: [...faults, ...task.warnings],
    },
  };
}
