/** Inside a rendering thread: takes one piece of work at a time and answers it. */
import { parentPort } from 'node:worker_threads';
import type { RenderResult } from '../../../schema.ts';
import { scrubText } from '../../http/http.ts';
import { RenderError } from '../errors.ts';
import { finishMashup, type FinishTask } from '../delivery/finish.ts';
import { type HeardSong, listenToSong } from '../song/analyze-stems.ts';
import type { Correction } from '../corrections/shift-changes.ts';
import type { RephraseTask } from '../corrections/phrase-candidates.ts';
import { rephrase } from '../corrections/phrase-changes.ts';
import { type HeardStrokes, hearStrokes } from '../song/drum-onsets.ts';
import { renderSection, type SectionResult, type SectionTask } from '../sound/section.ts';
import { renderStem, type StemPlace, type StemTask } from '../sound/stem.ts';
import type { ThreadMessage } from './thread-pool.ts';

type Work = {
  listen: { input: StemPlace[]; output: HeardSong };
  strokes: { input: StemPlace; output: HeardStrokes };
  rephrase: { input: RephraseTask; output: Correction | undefined };
  stem: { input: StemTask; output: void };
  section: { input: SectionTask; output: SectionResult };
  finish: { input: FinishTask; output: RenderResult };
};
export type WorkKind = keyof Work;
export type WorkInput<K extends WorkKind> = Work[K]['input'];
export type WorkOutput<K extends WorkKind> = Work[K]['output'];

type WorkMessage = { [K in WorkKind]: { kind: K; input: WorkInput<K> } }[WorkKind];

async function perform(work: WorkMessage, onProgress: (message: string) => void): Promise<unknown> {
  switch (work.kind) {
    case 'listen':
      return listenToSong(work.input);
    case 'strokes':
      return hearStrokes(work.input);
    case 'rephrase':
      return rephrase(work.input);
    case 'stem':
      return renderStem(work.input);
    case 'section':
      return renderSection(work.input);
    case 'finish':
      return finishMashup(work.input, onProgress);
  }
}

parentPort?.on('message', (work: WorkMessage) => {
  const send = (message: ThreadMessage): void => parentPort?.postMessage(message);
  perform(work, (message) => send({ kind: 'progress', message })).then(
    (output) => send({ kind: 'done', output }),
    (error: unknown) => {
      const message = scrubText(error instanceof Error ? error.message : String(error));
      const known = error instanceof RenderError ? { code: error.code, hint: error.hint } : {};
      send({ kind: 'failed', error: { message, ...known } });
    },
  );
});
