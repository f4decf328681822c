/** The table of mashups. */
import { sectionBpm } from '../music/plan/bars.ts';
import type { Plan } from '../schema.ts';
import type { PairResult } from './pair-result.ts';

/** Tempi of a plan, in order of appearance. */
function temposOf({ masterplan: { timeline, global } }: Plan): string[] {
  return [...new Set(timeline.map((section) => sectionBpm(global, section).toFixed(0)))];
}

/** Main figures of one mashup: measurements of the quality checks, corrections and cost. `✗` marks a failed hard check, `!` another failed one. */
export function rowOf({ songs, bpm, plan, result, renderCpuSec }: PairResult): Record<string, string | number> {
  const value = (name: string): string => {
    const found = result.quality?.checks.find((check) => check.name === name);
    if (!found || found.value === null) return '-';
    return `${found.value}${found.passed ? '' : found.kind === 'hard' ? ' ✗' : ' !'}`;
  };
  return {
    songs: songs.join(' + '),
    bpm: `${bpm.map((each) => each.toFixed(0)).join('/')}→${temposOf(plan).join(' ')}`,
    'tempo %': value('tempo_change_limit'),
    'lag ms': value('beat_lag_median'),
    'p95 ms': value('beat_lag_p95'),
    metre: value('metre_advantage'),
    bars: value('downbeats_on_bars'),
    harmony: value('harmony'),
    rank: value('harmony_rank'),
    cents: value('tuning'),
    'together %': value('together'),
    'voices %': value('two_voices'),
    bass: value('one_bass'),
    LUFS: result.loudness_lufs.toFixed(1),
    dBTP: result.true_peak_dbtp.toFixed(2),
    clicks: value('splice_clicks'),
    corrected: result.quality?.corrections.length ?? 0,
    passed: result.quality?.passed === true ? 'yes' : 'no',
    sec: Math.round(result.duration_sec),
    'cpu s': Number(renderCpuSec.toFixed(1)),
  };
}
