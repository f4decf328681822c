/** The playable part of a mashup that is still being rendered: its finished beginning, in files that join exactly. */
import { z } from 'zod';

/** Sample rate of playable parts in hertz. */
export const PLAYABLE_SAMPLE_RATE = 44_100;
/** Length of the longest part, in seconds: a longer one takes longer to arrive than a listener may have. */
export const MAX_PART_SEC = 30;
/** The largest number of parts that a row names: it stays small. */
export const MAX_PLAYABLE_PARTS = 48;

export const PlayableAudio = z
  .object({
    path: z.string().min(1).max(300).describe('Folder in the bucket. Part i is `<path>/<i>.flac`.'),
    sample_rate: z.literal(PLAYABLE_SAMPLE_RATE),
    total_frames: z.number().int().positive().describe('Planned length of the mashup in samples of one channel.'),
    ends: z
      .array(z.number().int().positive())
      .min(1)
      .max(MAX_PLAYABLE_PARTS)
      .refine((ends) => ends.every((end, i) => i === 0 || end > ends[i - 1]!), { message: 'must ascend' })
      .describe('For each uploaded part, the sample of the mashup at which it ends. Part 0 begins at sample 0.'),
  })
  .describe(
    'The finished beginning of a mashup that is being rendered. Each part is a complete 16-bit stereo FLAC file; part i holds the samples from the end of part i - 1 to `ends[i]`.',
  );
export type PlayableAudio = z.infer<typeof PlayableAudio>;

/** Returns the path of a part in the bucket. */
export function partPath(folder: string, index: number): string {
  return `${folder}/${index}.flac`;
}
