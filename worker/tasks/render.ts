/** The `render` task: renders the plan and verifies the file before it is delivered. */
import type { RenderTaskResult } from '../../schema/task-results.ts';
import { OutputFormat } from '../../schema.ts';
import type { Plan, RenderResult } from '../../schema.ts';
import { TaskError } from '../errors.ts';
import { callRender } from '../services/processing.ts';
import type { Rendered } from '../services/processing.ts';
import { readWavHeader, WAV_HEADER_BYTES } from '../../audio/decode/wav.ts';
import { callLimitMs, missingInput } from './context.ts';
import type { TaskContext } from './context.ts';
import { formatWarning, plannedSeconds, wantedFormat } from './output-file.ts';
import { correctedNotes, PartsInRow } from './playable-parts.ts';
import { buildRequest, loadPlan, openingOf, usedStems } from './render-request.ts';
import { tellRendered } from './rendered-plan.ts';
import { type CodedWarning, renderWarnings } from './render-warnings.ts';
import { loadStems, modelsOf, requireFiles, separationsOf, sourcesOf } from './stored-stems.ts';

/** Every mashup is larger; a file without samples has 44 bytes. */
const MIN_RESULT_BYTES = 1_000;
/** Relative difference from the planned length that causes no warning. */
const LENGTH_TOLERANCE = 0.02;

/** Runs the task. Returns the result for `mashup.record_result`. */
export async function render(context: TaskContext): Promise<RenderTaskResult> {
  const { claim, signal, serviceTokens, serviceUrls } = context;
  const prefix = claim.output_prefix;
  if (prefix === null) throw missingInput('This task has no output path.', 'Retry the mashup.');
  const stored = await loadPlan(context);
  const { plan, opening } = stored;
  const used = usedStems(claim, plan);
  const stems = await loadStems(context, used);
  const sources = sourcesOf(stems);
  const request = await buildRequest(context, plan, { used, sources, prefix });
  request.opening = opening ? openingOf(claim, plan, opening.sections, modelsOf(stems)) : undefined;
  const parts = request.parts && new PartsInRow(context, request.parts);
  const rendered = await callRender(serviceUrls.processing, request, {
    signal,
    timeoutMs: callLimitMs(context),
    token: serviceTokens.processing,
    idleMs: claim.silence_sec * 1000,
    onProgress: (progress, message) => context.reportProgress(progress, message === '' ? undefined : message),
    onPlayable: (playable) => parts?.publish(playable),
  }).catch(async (error: unknown) => {
    if (error instanceof TaskError && !signal.aborted && !isOutage(error)) await requireFiles(context, used);
    throw error;
  });
  if (!isOwnPath(rendered.path, prefix)) {
    throw new TaskError('The rendering service wrote the mashup to a path outside its prefix.', {
      code: 'service_wrong_path',
      hint: 'The service must write to generated/<job_id>; check its version.',
      faultClass: 'permanent',
    });
  }
  rendered.warnings.push(...correctedNotes(rendered.result?.quality?.corrections, parts?.folder));
  const { quality, warnings } = await verifyFile(context, rendered, plan, request.max_bytes ?? Infinity);
  await parts?.written();
  const { warnings: lost, ...told } = await tellRendered(context, stored, rendered.result ?? {});
  const message = quality.quality?.passed === false ? 'The mashup is rendered with faults' : 'The mashup is rendered';
  return {
    path: rendered.path,
    quality,
    warnings: [...warnings, ...lost],
    parts: parts?.folder,
    sources,
    separation: separationsOf(stems),
    ...told,
    service_used: true,
    message,
  };
}

/** Whether a fault says that a service is not available, so that it says nothing about the stems. */
function isOutage({ faultClass }: TaskError): boolean {
  return faultClass === 'unavailable' || faultClass === 'overloaded' || faultClass === 'refused';
}

/** Whether a path is `<prefix>.<format>`. The prefix contains the claim token, so that no other claim can have written it. */
function isOwnPath(path: string, prefix: string): boolean {
  return path.startsWith(`${prefix}.`) && /^\w+$/.test(path.slice(prefix.length + 1));
}

/**
 * Verifies the file. Returns the measurements of the service or, without them, what the header contains; and what the user has to
 * know.
 */
async function verifyFile(
  context: TaskContext,
  rendered: Rendered,
  plan: Plan,
  maxBytes: number,
): Promise<{ quality: Partial<RenderResult>; warnings: CodedWarning[] }> {
  const { storage, signal } = context;
  const object = await storage.stat(rendered.path);
  if (!object) throw unusable('The rendering service reported success, but the file is not in Storage.');
  context.metrics.storageBytes('result_written', object.bytes);
  if (object.bytes <= MIN_RESULT_BYTES) throw unusable('The rendered file has no samples.');
  const head = await storage.head(rendered.path, Math.min(WAV_HEADER_BYTES, object.bytes), signal);
  const wav = readWavHeader(head, object.bytes);
  if (wav && wav.durationSec <= 0) throw unusable('The rendered file has no samples.');
  if (rendered.path.endsWith('.wav') && !wav) throw unusable('The rendered file is not a WAV file.');

  const planned = plannedSeconds(plan);
  const duration = wav?.durationSec ?? rendered.result?.duration_sec ?? planned;
  const found: CodedWarning[] = [];
  if (Math.abs(duration - planned) > planned * LENGTH_TOLERANCE)
    found.push({
      code: 'other_length',
      message: `The file is ${duration.toFixed(1)} s long; the planned length is ${planned.toFixed(1)} s.`,
    });
  const format = OutputFormat.catch('wav').parse(rendered.path.slice(rendered.path.lastIndexOf('.') + 1));
  const otherFormat = formatWarning(wantedFormat(context), format, duration, maxBytes);
  if (otherFormat !== undefined) found.push({ code: 'other_format', message: otherFormat });
  const warnings = renderWarnings(rendered.result, found, rendered.warnings);
  const messages = warnings.map(({ message }) => message);
  if (rendered.result) {
    const { duration_sec, loudness_lufs, true_peak_dbtp } = rendered.result;
    const { as_rendered: _, ...report } = rendered.result;
    const measured = {
      duration_sec: rounded(duration_sec, 3),
      loudness_lufs: rounded(loudness_lufs, 2),
      true_peak_dbtp: rounded(true_peak_dbtp, 2),
      bytes: object.bytes,
    };
    return { quality: { ...report, ...measured, warnings: messages }, warnings };
  }
  const { targetBPM, targetKey } = plan.masterplan.global;
  const quality = {
    duration_sec: rounded(duration, 3),
    ...(wav ? { sample_rate: wav.sampleRate, channels: wav.channels } : {}),
    format,
    bytes: object.bytes,
    bpm: targetBPM,
    key: targetKey,
    warnings: messages,
  };
  return { quality, warnings };
}

/** Rounds a value of the job's row, which is sent to clients with each change. */
function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function unusable(message: string): TaskError {
  return new TaskError(message, {
    code: 'render_unusable',
    hint: 'It is retried automatically. If this lasts, replay the mashup from planning.',
    faultClass: 'transient',
  });
}
