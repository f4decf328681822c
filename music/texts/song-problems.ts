/** The conflicts that a song brings into a mashup: its parts, tempo, meter, beat, key and content. */
import type { AnalyzedSong } from '../../schema.ts';
import { songBars } from '../theory/bars.ts';
import { contentOf, hasBeat } from '../theory/content.ts';
import { displayKey, keyShift, parseKey } from '../theory/keys.ts';
import { COMFORTABLE_TEMPO_CHANGE, canMatchTempo, matchTempo, tempoChange } from '../theory/tempo.ts';
import { boundTempi, heardStems, mainSource } from './facts.ts';
import { entry, type Problem, type ProblemContext } from './problem-entry.ts';
import { clock } from '../plan/clock.ts';
import { bpmText, joinWords, quoteName } from './words.ts';

const WEAK_BEAT = 0.5;

/** Lists the conflicts of a song. `turn` alternates wordings between songs. */
export function songProblems(song: AnalyzedSong, context: ProblemContext, turn: number): Problem[] {
  return [
    ...partProblem(song, context),
    ...(hasBeat(song.analysis)
      ? [...tempoProblem(song, context, turn), ...beatProblems(song, context)]
      : freeProblem(song, context)),
    ...keyProblem(song, context),
    ...contentProblem(song, context),
  ];
}

/** A song whose tempo or meter changes is reduced to one part. */
function partProblem({ name, analysis, song_id }: AnalyzedSong, { songs, say }: ProblemContext): Problem[] {
  const part = analysis.rhythmic.tempo_parts?.[0];
  if (!part || name === undefined) return [];
  const song = quoteName(songs, song_id);
  const [from, to, bpm] = [clock(part.start_sec), clock(part.end_sec), bpmText(part.bpm)];
  return [
    entry(
      say,
      [
        [`${song} does not keep one tempo and meter`],
        [`Tempo or meter change within ${song}`],
        [`${song} goes through several tempi or meters`],
      ],
      [
        [`Only its part from ${from} to ${to} is used, which has ${bpm}`],
        [`What is played of it lies between ${from} and ${to}, where it has ${bpm}`],
        [`The mashup keeps to ${from} to ${to} of it, at ${bpm}`],
      ],
    ),
  ];
}

function freeProblem({ song_id }: AnalyzedSong, { plan, songs, say }: ProblemContext): Problem[] {
  const song = quoteName(songs, song_id);
  const drums = mainSource(plan, 'drums');
  const over = drums === undefined ? undefined : quoteName(songs, drums);
  return [
    entry(
      say,
      [[`${song} has no beat`], [`No beat was found in ${song}`], [`${song} follows no beat`]],
      over === undefined
        ? [
            ['No song gives drums: all play in free time'],
            ['There are no drums, so it needs no beat'],
            ['The mashup has no drums, so nothing is fitted to bars'],
          ]
        : [
            [`It plays at its own speed, and the drums are those of ${over}`],
            [`It is not stretched, while ${over} gives the drums`],
            [`Its timing is left as it is, and ${over} gives the drums`],
          ],
    ),
  ];
}

function contentProblem(song: AnalyzedSong, { plan, songs, say }: ProblemContext): Problem[] {
  if (contentOf(song) !== 'acapella') return [];
  const name = quoteName(songs, song.song_id);
  const others = songs.filter(
    ({ song_id: id }) => id !== song.song_id && [...heardStems(plan, id)].some((stem) => stem !== 'vocals'),
  );
  const from = joinWords(others.map(({ song_id }) => quoteName(songs, song_id)));
  return [
    entry(
      say,
      [[`${name} has only vocals`], [`There is no music in ${name}, only voices`], [`${name} is an a cappella`]],
      from === ''
        ? [['No song accompanies it'], ['It stays without accompaniment'], ['The voices are left unaccompanied']]
        : [
            [`The accompaniment comes from ${from}`],
            [`It is accompanied by ${from}`],
            [`The music for it is taken from ${from}`],
          ],
    ),
  ];
}

function tempoProblem(song: AnalyzedSong, context: ProblemContext, turn: number): Problem[] {
  const { plan } = context;
  const { bpm } = songBars(song.analysis);
  const [target] = boundTempi(plan, song.song_id);
  const main = plan.masterplan.global.targetBPM;
  if (
    target !== undefined &&
    canMatchTempo(bpm, target) &&
    (bpmText(target) === bpmText(main) || canMatchTempo(bpm, main))
  )
    return stretchProblem(song, target, context, turn);
  return canMatchTempo(bpm, main)
    ? []
    : [farTempo(song, target !== undefined && canMatchTempo(bpm, target) ? target : undefined, context)];
}

/** A song that cannot be brought to the tempo of the mashup. `target`: the tempo of the sections where it follows the beat. */
function farTempo(song: AnalyzedSong, target: number | undefined, { plan, songs, say }: ProblemContext): Problem {
  const name = quoteName(songs, song.song_id);
  const own = bpmText(songBars(song.analysis).bpm);
  const main = bpmText(plan.masterplan.global.targetBPM);
  const tempo = target === undefined ? '' : bpmText(target);
  return entry(
    say,
    [
      [`${name} has ${own}, too far from the mashup's ${main}, also in half or double time`],
      [`Stretching ${name} from ${own} to ${main} would not sound right`],
      [`${name} with its ${own} cannot be brought to ${main}`],
    ],
    tempo === ''
      ? [['It plays at its own speed'], ['Its speed is left as it is'], ['It is not stretched to the beat']]
      : [
          [`Where it follows the beat, the tempo is ${tempo}`],
          [`It has sections at ${tempo} for itself`],
          [`The mashup changes to ${tempo} for it`],
        ],
  );
}

/** A song that is stretched to the tempo at which it plays. */
function stretchProblem(song: AnalyzedSong, target: number, { songs, say }: ProblemContext, turn: number): Problem[] {
  const { bpm } = songBars(song.analysis);
  const { multiple } = matchTempo(bpm, target);
  const change = tempoChange(bpm, target);
  if (change <= COMFORTABLE_TEMPO_CHANGE && multiple === 1) return [];
  const [name, own, tempo] = [quoteName(songs, song.song_id), bpmText(bpm), bpmText(target)];
  const reading = multiple === 1 ? '' : ` and read in ${multiple === 2 ? 'double' : 'half'} time`;
  const share = `${Math.round(change * 100)} %`;
  return [
    entry(
      say,
      [
        [`${name} has ${own} against the mashup's ${tempo}`],
        [`The tempo of ${name} is ${own}, that of the mashup ${tempo}`],
        [`${name} has to go from ${own} to ${tempo}`],
      ],
      [
        [
          `It is stretched along its beats by ${share}${reading}`,
          `Along its beats it is changed by ${share}${reading}`,
        ],
        [
          `Stretched by ${share} beat by beat${reading}, it fits`,
          `With its tempo changed by ${share}${reading}, it joins in`,
        ],
        [`Beat by beat its speed is changed by ${share}${reading}`, `Its speed is adapted by ${share}${reading}`],
      ],
      turn,
    ),
  ];
}

function keyProblem(song: AnalyzedSong, { plan, songs, shifts, say }: ProblemContext): Problem[] {
  const stems = heardStems(plan, song.song_id);
  if (![...stems].some((stem) => stem !== 'drums')) return [];
  const name = quoteName(songs, song.song_id);
  const key = parseKey(song.analysis.harmonic.key);
  const target = parseKey(plan.masterplan.global.targetKey);
  const shift = shifts?.[song.song_id] ?? (key && target ? keyShift(key, target) : 0);
  if (!key)
    return [
      entry(
        say,
        [
          [`The key of ${name} could not be determined`],
          [`${name} shows no clear key`],
          [`Which key ${name} is in is not known`],
        ],
        shift === 0
          ? [['It keeps its pitch'], ['Its pitch is not touched'], ['It is used at the pitch it has']]
          : [
              [`It is shifted by ${semitones(shift)}, as the quality checks found`],
              [`The quality checks of the sound led to a shift by ${semitones(shift)}`],
              [`With a shift by ${semitones(shift)} its notes fit best`],
            ],
      ),
    ];
  if (shift === 0) return [];
  const [from, to] = [displayKey(key), displayKey(plan.masterplan.global.targetKey)];
  return [
    entry(
      say,
      [
        [`${name} is in ${from}, the mashup in ${to}`],
        [`${from} is the key of ${name}, and ${to} that of the mashup`],
        [`${name} in ${from} does not fit a mashup in ${to}`],
      ],
      [
        [`Everything but its drums is shifted by ${semitones(shift)}`],
        [`Its notes are moved by ${semitones(shift)}; its drums are not`],
        [`A shift by ${semitones(shift)} makes it fit; drums are not shifted`],
      ],
    ),
  ];
}

const semitones = (shift: number): string =>
  `${shift > 0 ? '+' : ''}${shift} semitone${Math.abs(shift) === 1 ? '' : 's'}`;

function beatProblems(song: AnalyzedSong, { plan, songs, say }: ProblemContext): Problem[] {
  const name = quoteName(songs, song.song_id);
  const { meter: own, meterKnown } = songBars(song.analysis);
  const [meter] = plan.masterplan.global.timeSignature;
  const problems: Problem[] = [];
  if (boundTempi(plan, song.song_id).length === 0) return [];
  if (!meterKnown)
    problems.push(
      entry(
        say,
        [
          [`The meter of ${name} is not known`],
          [`How ${name} counts its bars is not clear`],
          [`${name} does not show where its bars begin`],
        ],
        [
          ['Bars of four beats are assumed, so its bars may start elsewhere than those of the mashup'],
          ['It is assumed to have bars of four, which may not match those of the mashup'],
          ['Four beats to the bar are a guess: its bars may not start with those of the mashup'],
        ],
      ),
    );
  if (meterKnown && own !== meter)
    problems.push(
      entry(
        say,
        [
          [`${name} counts ${own} beats to the bar, the mashup ${meter}`],
          [`Bars of ${own} beats in ${name} meet bars of ${meter}`],
          [`The bars of ${name} have ${own} beats instead of ${meter}`],
        ],
        [
          ['Beats stay aligned, and bar lines meet again every few bars'],
          ['The beats are aligned, and bars start together every few bars'],
          ['All beats coincide, even where bars do not'],
        ],
      ),
    );
  if (song.analysis.rhythmic.beat_confidence < WEAK_BEAT) problems.push(weakBeat(song, { plan, songs, say }));
  return problems;
}

function weakBeat(song: AnalyzedSong, { plan, songs, say }: Pick<ProblemContext, 'plan' | 'songs' | 'say'>): Problem {
  const name = quoteName(songs, song.song_id);
  const drumsHeard = heardStems(plan, song.song_id).has('drums');
  return entry(
    say,
    [
      [`The beat of ${name} is hard to follow`],
      [`${name} has no steady beat to hold on to`],
      [`It is not easy to count along with ${name}`],
    ],
    drumsHeard
      ? [
          ['Its drums are used, placed on the beats as far as they could be found'],
          ['Where its drums play, they sit on the beats that were found'],
          ['The likeliest beats were taken for its drums'],
        ]
      : [['Its drums are left out'], ['None of its drums are used'], ['The mashup does without its drums']],
  );
}
