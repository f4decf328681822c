/** The stems of a finished mashup: one recording for each stem of each song that it plays, aligned with the mashup, so that they sum to it. */
import { z } from 'zod';
import { Stem } from './music.ts';
import { MAX_PLAYABLE_PARTS, PLAYABLE_SAMPLE_RATE } from './playable.ts';

/** States of the stems of a mashup. */
export const MASHUP_STEMS_STATES = ['pending', 'ready', 'failed'] as const;
export type MashupStemsState = (typeof MASHUP_STEMS_STATES)[number];

/** Samples of a block of FLAC. Parts have whole blocks, so that their frames can be joined to one file. */
export const STEM_BLOCK_FRAMES = 4096;
/** Samples of a part of a stem of a mashup, but for the last: 29.9 s. */
export const MASHUP_STEM_PART_FRAMES = 322 * STEM_BLOCK_FRAMES;
/** A mashup has at most so many stems: four of each of three songs. */
export const MAX_MASHUP_STEMS = 12;

export const MashupStemFile = z
  .object({
    song_id: z.string(),
    stem: Stem,
    path: z.string().min(1).max(300).describe('Folder in the bucket. Part i is `<path>/<i>.flac`.'),
    bytes: z.number().int().positive().describe('Size of all parts.'),
  })
  .describe('One stem of one song, as the mashup plays it.');
export type MashupStemFile = z.infer<typeof MashupStemFile>;

/** What a render of stems has made. */
export const RenderedStems = z
  .object({
    sample_rate: z.literal(PLAYABLE_SAMPLE_RATE),
    total_frames: z
      .number()
      .int()
      .positive()
      .describe('Length of the mashup and of each stem, in samples of one channel.'),
    ends: z
      .array(z.number().int().positive())
      .min(1)
      .max(MAX_PLAYABLE_PARTS)
      .refine((ends) => ends.every((end, i) => i === 0 || end > ends[i - 1]!), { message: 'must ascend' })
      .describe('For each part, the sample of the mashup at which it ends. The same for all stems.'),
    level_db: z
      .number()
      .max(0)
      .describe('Level of the files against their level in the mashup: below 0 if a stem alone would be clipped.'),
    residual_db: z
      .number()
      .nullable()
      .describe(
        'Level of the difference of the mashup and the sum of its stems, against the mashup. Null: not measured.',
      ),
    files: z.array(MashupStemFile).min(1).max(MAX_MASHUP_STEMS),
  })
  .describe('The stems of a mashup.');
export type RenderedStems = z.infer<typeof RenderedStems>;

export const MashupStems = z
  .discriminatedUnion('state', [
    z.object({ state: z.literal('pending'), requested_at: z.string() }),
    z.object({ state: z.literal('ready'), made_at: z.string(), ...RenderedStems.shape }),
    z.object({
      state: z.literal('failed'),
      code: z.string(),
      message: z.string(),
      hint: z.string().nullable(),
    }),
  ])
  .describe('The stems of a mashup: being made, ready, or failed. They can be asked for again after a failure.');
export type MashupStems = z.infer<typeof MashupStems>;

/** What the row of a job says of the stems of its result. */
export interface MashupStemsSummary {
  state: MashupStemsState;
  /** Per cent, while they are made. */
  progress?: number;
  /** Size of all files. */
  bytes?: number;
  /** Why they could not be made, and what to do. */
  message?: string;
  hint?: string;
}

/** Returns the ends of the parts of a stem, in samples. */
export function stemPartEnds(totalFrames: number): number[] {
  const count = Math.max(1, Math.ceil(totalFrames / MASHUP_STEM_PART_FRAMES));
  return Array.from({ length: count }, (_, i) => Math.min(totalFrames, (i + 1) * MASHUP_STEM_PART_FRAMES));
}
