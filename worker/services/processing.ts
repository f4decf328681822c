/** Client of the rendering service, `POST /execute-masterplan`: an event stream that ends with exactly one terminal event. */
import { z } from 'zod';
import { RenderedStems, RenderResult, SERVICE_DEFAULTS, SongRange } from '../../schema.ts';
import type { RenderRequest, SongRanges } from '../../schema.ts';
import { RangesMissing, TaskError } from '../errors.ts';
import type { FaultClass } from '../errors.ts';
import { redact } from '../redact.ts';
import { storageFaultOf, untypedFault } from './faults.ts';
import { withResponse } from './http.ts';
import { withIdleLimit } from './idle-timer.ts';
import { asNumber, clamp } from './read.ts';
import { parseEvent, readEvents } from './sse.ts';

const MAX_WARNINGS = 20;
/** Seconds that are separated before and after a part that a render missed. */
const MISSING_MARGIN_SEC = 2;

/** Fault classes of the built-in renderer's error codes. Other codes are transient. */
const CLASS_OF_CODE: Record<string, FaultClass> = {
  plan_empty: 'permanent',
  plan_section_empty: 'permanent',
  plan_invalid: 'permanent',
  plan_unknown_song: 'permanent',
  stems_missing: 'permanent',
  upload_missing: 'permanent',
  mashup_differs: 'permanent',
  stem_unusable: 'permanent',
  upload_too_large: 'permanent',
  render_silent: 'permanent',
};

export interface Rendered {
  /** Object path of the file. */
  path: string;
  /** Measurements of the service, if it sent any. */
  result?: RenderResult;
  /** The stems of a mashup, if they were what was rendered. */
  stems?: RenderedStems;
  warnings: string[];
}

export interface RenderOptions {
  signal: AbortSignal;
  /** Limit of the whole render. */
  timeoutMs: number;
  token?: string;
  /** Time without an event after which the stream counts as hung. */
  idleMs: number;
  /** Path of the call, by default that of a whole render. */
  path?: string;
  /** Receives progress, 0..1, which never decreases. */
  onProgress: (progress: number, message: string) => void;
  /** Receives the playable parts of events that have some, as they were sent. */
  onPlayable?: (playable: unknown) => void;
}

/** Renders a mashup. @throws TaskError for an error event, a hung stream, or a stream without a terminal event */
export async function callRender(baseUrl: string, request: RenderRequest, options: RenderOptions): Promise<Rendered> {
  return withIdleLimit('processing', options.idleMs, options.signal, (signal, onEvent) =>
    withResponse(
      {
        service: 'processing',
        baseUrl,
        path: options.path ?? SERVICE_DEFAULTS.processing.path,
        accept: 'text/event-stream',
        body: request,
        signal,
        timeoutMs: options.timeoutMs,
        token: options.token,
      },
      (response) => readRender(response, options, onEvent),
    ),
  );
}

/** Reads the events of a render up to the terminal one. */
async function readRender(
  response: AsyncIterable<Uint8Array>,
  options: RenderOptions,
  onEvent: () => void,
): Promise<Rendered> {
  const warnings: string[] = [];
  let progress = 0;
  for await (const data of readEvents(response)) {
    onEvent();
    const event = parseEvent(data);
    if (typeof event['error'] === 'string') throw eventFault(event['error'], event);
    if (typeof event['storage_path'] === 'string') {
      const result = RenderResult.safeParse(event['result']).data;
      const stems = RenderedStems.safeParse(event['stems']).data;
      return { path: event['storage_path'], result, stems, warnings };
    }
    if (typeof event['warning'] === 'string' && warnings.length < MAX_WARNINGS)
      warnings.push(redact(event['warning'], 300));
    if (event['playable'] !== undefined) options.onPlayable?.(event['playable']);
    if (event['progress'] === undefined) continue;
    progress = Math.max(progress, clamp(asNumber(event['progress'], 0) / 100, 0, 1));
    options.onProgress(progress, typeof event['message'] === 'string' ? redact(event['message'], 200) : '');
  }
  throw new TaskError('The rendering service ended the stream before the mashup was finished.', {
    code: 'render_cut_off',
    hint: 'It is retried automatically. If this lasts, check the memory and the log of the service.',
    faultClass: 'transient',
  });
}

function eventFault(text: string, event: Record<string, unknown>): TaskError {
  const message = redact(text);
  const known = untypedFault('processing', message);
  if (known) return known;
  const code = typeof event['code'] === 'string' ? event['code'].slice(0, 60) : 'render_failed';
  if (code === 'storage_unavailable') return storageFaultOf('processing', message);
  const missing = code === 'stems_missing' ? z.array(SongRange).min(1).safeParse(event['missing']).data : undefined;
  if (missing) return new RangesMissing(message, rangesBySong(missing));
  const hint = typeof event['hint'] === 'string' ? redact(event['hint'], 300) : undefined;
  return new TaskError(message || 'The mashup could not be rendered.', {
    code,
    hint: hint ?? 'Retry the mashup. If it fails again, replay it from planning for another plan.',
    faultClass: CLASS_OF_CODE[code] ?? 'transient',
  });
}

/** The missing ranges by song, a little longer than they are. */
function rangesBySong(missing: readonly SongRange[]): Record<string, SongRanges> {
  const ranges: Record<string, SongRanges> = {};
  for (const { song_id, start_sec, end_sec } of missing)
    (ranges[song_id] ??= []).push([Math.max(0, start_sec - MISSING_MARGIN_SEC), end_sec + MISSING_MARGIN_SEC]);
  return ranges;
}
