/** The request for the stems of a mashup: its plan and songs as they were rendered, and where the stems go. */
import { z } from 'zod';
import { MAX_MASHUP_STEMS } from './mashup-stems.ts';
import { Mastering, Stem } from './music.ts';
import { MAX_PLAYABLE_PARTS } from './playable.ts';
import { RenderRequest, UploadTarget } from './services.ts';

/** The path of the rendering service that renders the stems of a mashup. */
export const STEMS_PATH = '/render-stems';

export const StemTargets = z
  .object({
    path: z.string().min(1).describe('Folder of the stems in the bucket.'),
    mashup_url: z.string().min(1).describe('The finished mashup, with which the sum of the stems is compared.'),
    mastering: Mastering.optional().describe('How the mashup was mastered. Absent: it is mastered again.'),
    files: z
      .array(
        z.object({
          song_id: z.string(),
          stem: Stem,
          path: z.string().min(1).max(300).describe('Folder of the parts of the stem.'),
          parts: z.array(UploadTarget).min(1).max(MAX_PLAYABLE_PARTS),
        }),
      )
      .min(1)
      .max(MAX_MASHUP_STEMS)
      .describe('Where each stem goes that the mashup may play.'),
  })
  .describe('Where the stems of a mashup go.');
export type StemTargets = z.infer<typeof StemTargets>;

export const RenderStemsRequest = RenderRequest.extend({ stems: StemTargets }).describe(
  'A mashup whose stems are rendered: its plan and songs, as for the mashup itself.',
);
export type RenderStemsRequest = z.infer<typeof RenderStemsRequest>;
