/** What a song contains, as planning and scoring see it: voices alone, no voice, or both; and whether it has a beat. */
import type { AnalyzedSong, SongAnalysis, SongContent, Stem } from '../../schema.ts';

/** What names and titles call a song of voices alone, and one without a voice. */
const ACAPELLA_NAME = /\b(a\s?cappell?a|acapp?ell?a|vocals? only|voice only)\b/i;
const INSTRUMENTAL_NAME = /\b(instrumental|karaoke|backing track)\b/i;
/** With such a name, this evidence in the sound is enough. Without a name, the analysis decides. */
const NAMED_EVIDENCE = 0.25;
/** Below this vocal presence the vocals stem contains little but leakage. */
const SINGS_FROM = 0.15;
/** Vocal presence from which on a song is sung, whatever it is called. Lead instruments have up to this. */
const SURELY_SUNG = 0.85;

/** Returns what a name or title calls the song; `full` if it says nothing. */
export function namedContent(name: string): SongContent {
  if (ACAPELLA_NAME.test(name)) return 'acapella';
  return INSTRUMENTAL_NAME.test(name) ? 'instrumental' : 'full';
}

/**
 * Returns what a song contains. A name such as `Halo (Acapella)` decides only where the sound is not clear, and the title tag of the
 * file where the name says nothing.
 */
export function contentOf({ name, analysis }: Pick<AnalyzedSong, 'name' | 'analysis'>): SongContent {
  const { content = 'full', vocal } = analysis;
  if (content !== 'full') return content;
  const byName = namedContent(name);
  const named = byName === 'full' ? (analysis.tagged_content ?? 'full') : byName;
  if (named === 'acapella' && (vocal.voices_alone ?? 0) >= NAMED_EVIDENCE) return 'acapella';
  if (named === 'instrumental' && vocal.vocal_presence < SURELY_SUNG) return 'instrumental';
  return 'full';
}

/** Whether a song has audible vocals. */
export function singsAtAll(song: AnalyzedSong): boolean {
  const content = contentOf(song);
  return content === 'acapella' || (content === 'full' && song.analysis.vocal.vocal_presence >= SINGS_FROM);
}

/** Whether a song has a beat. An analysis that does not say so is of a song with a beat. */
export function hasBeat(analysis: SongAnalysis): boolean {
  return analysis.rhythmic.has_beat !== false;
}

/** Returns the stems of a song that can be used: no vocals of an instrumental, nothing but vocals of an a cappella, no drums or bass without a beat. */
export function usableStems(song: AnalyzedSong): readonly Stem[] {
  const content = contentOf(song);
  if (content === 'acapella') return ['vocals'];
  const stems: Stem[] = hasBeat(song.analysis) ? ['vocals', 'drums', 'bass', 'other'] : ['vocals', 'other'];
  return content === 'instrumental' ? stems.filter((stem) => stem !== 'vocals') : stems;
}
