/**
 * Wishes: what a user asks of a mashup in words, as data. One reading of a text serves first plans and new versions.
 *
 * Songs are named by their ids. A wish about several stems is several wishes with one stem each.
 */
import { z } from 'zod';
import { Stem } from './music.ts';

const song = z.string().min(1).describe('Id of a song of the mashup.');
const degree = z.enum(['little', 'much']).optional().describe('How far to go. Absent: the usual step.');

/** Effects that a user can name. Each stands for one or several effects of a plan. */
export const WISH_EFFECTS = [
  'reverb',
  'echo',
  'filter',
  'sidechain',
  'riser',
  'stutter',
  'gate',
  'reverse',
  'width',
] as const;
export const WishEffect = z.enum(WISH_EFFECTS).describe('An effect as a user names it.');
export type WishEffect = z.infer<typeof WishEffect>;

const SourceWish = z
  .object({ kind: z.literal('source'), stem: Stem, song_id: song })
  .describe('The stem comes from this song: who sings (`vocals`), who plays the beat (`drums`), the bass or the rest.');

const EdgeWish = z
  .object({ kind: z.literal('edge'), edge: z.enum(['start', 'end']), sound: z.enum(['quiet', 'loud', 'fade']) })
  .describe('How the mashup starts or ends. `fade`: it comes in from nothing, or goes out to nothing.');

const EdgePartWish = z
  .object({
    kind: z.literal('edge_part'),
    edge: z.enum(['start', 'end']),
    how: z.enum(['with', 'only', 'without']).describe('`with`: it plays, others may too. `only`: nothing else plays.'),
    stem: Stem.optional().describe('Absent: all stems of the song.'),
    song_id: song.optional().describe('Absent: any song.'),
  })
  .describe('What plays at the start or the end of the mashup: a stem, a song, or a stem of a song.');

const DropWish = z
  .object({ kind: z.literal('drop'), change: z.enum(['earlier', 'later']) })
  .describe('The first section of full energy comes earlier or later.');

const LengthWish = z
  .object({
    kind: z.literal('length'),
    change: z.enum(['longer', 'shorter']),
    degree,
    by_sec: z.number().positive().optional().describe('Seconds by which the length changes. Absent: by `degree`.'),
    by_percent: z.number().positive().optional().describe('The same in percent of the present length.'),
  })
  .describe('The mashup is longer or shorter.');

const ExactLengthWish = z
  .object({ kind: z.literal('length_exact'), sec: z.number().positive() })
  .describe('The mashup has this length, as near as whole bars allow.');

const LengthLimitWish = z
  .object({ kind: z.literal('length_limit'), sec: z.number().positive() })
  .describe('The mashup is at most this long.');

const TempoWish = z
  .object({
    kind: z.literal('tempo'),
    change: z.enum(['faster', 'slower']),
    degree,
    by_bpm: z.number().positive().optional().describe('Beats per minute by which it changes. Absent: by `degree`.'),
    by_percent: z.number().positive().optional().describe('The same in percent of the present tempo.'),
  })
  .describe('The mashup is faster or slower.');

const ExactTempoWish = z
  .object({ kind: z.literal('tempo_exact'), bpm: z.number().positive() })
  .describe('The mashup has this tempo.');

const KeyWish = z
  .object({ kind: z.literal('key'), semitones: z.number().int().min(-12).max(12) })
  .describe('The key is so many semitones higher, or lower if negative.');

const ExactKeyWish = z
  .object({ kind: z.literal('key_exact'), key: z.string().describe('In the form `A minor`, `Bb major`.') })
  .describe('The mashup is in this key.');

const SwapWish = z
  .object({ kind: z.literal('swap') })
  .describe('The songs change their roles: the one that played sings, and the other way round.');

const LevelWish = z
  .object({
    kind: z.literal('level'),
    change: z.enum(['more', 'less']),
    stem: Stem.optional().describe('Absent: all stems of the song.'),
    song_id: song.optional().describe('Absent: the stem of every song.'),
    degree,
    by_db: z.number().positive().optional().describe('Decibels by which the level changes. Absent: by `degree`.'),
  })
  .describe('More or less of a stem, of a song, or of a stem of a song.');

const WithoutWish = z
  .object({
    kind: z.literal('without'),
    stem: Stem,
    song_id: song.optional().describe('Absent: the stem of every song.'),
  })
  .describe('The stem does not play.');

const EffectWish = z
  .object({
    kind: z.literal('effect'),
    change: z.enum(['more', 'less', 'off']),
    effect: WishEffect.optional().describe('Absent: all effects.'),
    stem: Stem.optional().describe('Absent: on every stem.'),
    song_id: song.optional().describe('Absent: on every song.'),
  })
  .describe('An effect is added or increased (`more`), reduced (`less`) or removed (`off`).');

const TransitionsWish = z
  .object({ kind: z.literal('transitions'), change: z.enum(['smoother', 'harder']) })
  .describe('Sections change into each other more smoothly, or more abruptly.');

const SectionsWish = z
  .object({ kind: z.literal('sections'), change: z.enum(['more', 'fewer']) })
  .describe('The mashup has more or fewer sections.');

const ExactSectionsWish = z
  .object({ kind: z.literal('sections_exact'), count: z.number().int().positive() })
  .describe('The mashup has this number of sections.');

const EnergyWish = z
  .object({ kind: z.literal('energy'), change: z.enum(['more', 'less']), degree })
  .describe('The mashup is more energetic, or calmer.');

const KeepWish = z
  .object({ kind: z.literal('keep'), what: z.enum(['tempo', 'key', 'length']) })
  .describe('This stays as it is while other wishes are applied.');

const AgainWish = z.object({ kind: z.literal('again') }).describe('The same wishes again, with another arrangement.');

export const Wish = z
  .discriminatedUnion('kind', [
    SourceWish,
    EdgeWish,
    EdgePartWish,
    DropWish,
    LengthWish,
    ExactLengthWish,
    LengthLimitWish,
    TempoWish,
    ExactTempoWish,
    KeyWish,
    ExactKeyWish,
    SwapWish,
    LevelWish,
    WithoutWish,
    EffectWish,
    TransitionsWish,
    SectionsWish,
    ExactSectionsWish,
    EnergyWish,
    KeepWish,
    AgainWish,
  ])
  .describe('One wish of a user.');
export type Wish = z.infer<typeof Wish>;

export const Reading = z
  .object({
    understood: z.array(Wish).describe('In the order of the text.'),
    not_understood: z.array(z.string()).describe('The other parts of the text, quoted.'),
    contradictory: z
      .array(z.string())
      .optional()
      .describe('The parts of `not_understood` whose wishes exclude each other, quoted. Absent: none do.'),
  })
  .describe('What a text of a user asks for.');
export type Reading = z.infer<typeof Reading>;

export const WishSong = z
  .object({
    song_id: song,
    name: z.string(),
    artist: z.string(),
    has_vocals: z.boolean().optional().describe('Absent: not known yet.'),
    bpm: z.number().positive().optional(),
    key: z.string().optional().describe('In the form `A minor`.'),
  })
  .describe('What the reading of a text needs to know of a song.');
export type WishSong = z.infer<typeof WishSong>;

export const WishOutcome = Reading.extend({
  by_planner: z
    .array(z.string())
    .optional()
    .describe(
      'Parts, quoted, that a language model alone understands: it says that its plan follows them. Nothing checks that.',
    ),
  cannot: z.array(z.string()).describe('Wishes that the plan does not fulfil, in sentences.'),
  not_done: z
    .array(z.object({ index: z.number().int().min(0), reason: z.string() }))
    .optional()
    .describe(
      'Positions in `understood` of the wishes that the plan does not fulfil, with the reasons; empty reasons are not known.',
    ),
}).describe('What became of the wishes or the feedback of a user.');
export type WishOutcome = z.infer<typeof WishOutcome>;
