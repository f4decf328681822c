import { camelotCode, displayKey, parseKey } from '../../../../music/theory/keys.ts';
import type { ShownAnalysis } from '../../state/songs.ts';
import { decimal, percent } from '../../texts.ts';
import { MusicText } from '../common/MusicText.tsx';
import { Notes } from '../common/Notes.tsx';
import type { Tone } from '../common/tones.ts';
import { toneOf } from '../common/tones.ts';
import { Waveform } from '../common/Waveform.tsx';

/** Spectral centroid that counts as full brightness, in hertz. */
const FULL_BRIGHTNESS_HZ = 8000;
const clamp = (share: number): number => Math.min(1, Math.max(0, share));

function Meter({ name, share, tone }: { name: string; share: number; tone: Tone }) {
  return (
    <div>
      <dt className="flex justify-between text-xs text-soft">
        {name}
        <span aria-hidden="true">{percent(clamp(share))}</span>
      </dt>
      <dd className="mt-1 h-1.5 overflow-hidden rounded-full bg-raised">
        <div
          className={`h-full rounded-full ${tone.background}`}
          style={{ width: percent(clamp(share)).replace(' ', '') }}
        />
        <span className="sr-only">{percent(clamp(share))}</span>
      </dd>
    </div>
  );
}

/** A song's analysis: tempo, key, character, and the waveform on its beat grid. Renders nothing unless all four groups are present. */
export function TrackAnalysisDisplay({ analysis, tone = toneOf(0) }: { analysis: ShownAnalysis; tone?: Tone }) {
  if (!analysis?.harmonic || !analysis.rhythmic || !analysis.spectral || !analysis.vocal) return null;
  const { harmonic, rhythmic, spectral, vocal, energy, loudness, waveform, warnings = [] } = analysis;
  const key = parseKey(harmonic.key);
  const camelot = harmonic.camelot ?? (key ? camelotCode(key) : undefined);
  const hasBeat = rhythmic.has_beat !== false;
  return (
    <div className="mashup-ui" data-testid="track-analysis">
      {waveform && (
        <Waveform
          peaks={waveform.peaks}
          color={tone.color}
          marks={hasBeat ? (rhythmic.downbeats_sec ?? rhythmic.beats_sec) : undefined}
          durationSec={analysis.duration_sec ?? waveform.peaks.length / waveform.peaks_per_sec}
          className="h-14"
        />
      )}
      <dl className="mt-3 flex flex-wrap gap-x-6 gap-y-2">
        <div>
          <dt className="label">Tempo</dt>
          <dd className="text-lg font-semibold">
            {!hasBeat ? (
              'No beat'
            ) : (
              <>
                {Math.round(rhythmic.bpm)} <span className="text-sm font-normal text-soft">bpm</span>
              </>
            )}
          </dd>
        </div>
        <div>
          <dt className="label">Key</dt>
          <dd className="text-lg font-semibold">
            <MusicText text={displayKey(harmonic.key)} />
            {camelot && (
              <abbr title="Camelot code" className="ml-1.5 text-sm font-normal text-soft no-underline">
                {camelot}
              </abbr>
            )}
          </dd>
        </div>
        {loudness && (
          <div>
            <dt className="label">Loudness</dt>
            <dd className="text-lg font-semibold">
              {decimal(loudness.integrated_lufs)} <span className="text-sm font-normal text-soft">LUFS</span>
            </dd>
          </div>
        )}
      </dl>
      <dl className="mt-3 grid grid-cols-2 gap-x-5 gap-y-2.5">
        <Meter name="Energy" share={energy?.mean ?? vocal.vocal_presence} tone={tone} />
        <Meter name="Voice" share={vocal.vocal_presence} tone={tone} />
        <Meter name="Brightness" share={spectral.brightness / FULL_BRIGHTNESS_HZ} tone={tone} />
        <Meter name="Beat confidence" share={rhythmic.beat_confidence} tone={tone} />
      </dl>
      <Notes messages={warnings} label="About this recording" />
    </div>
  );
}
