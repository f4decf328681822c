import { useId } from 'react';
import { displayKey } from '../../../../music/theory/keys.ts';
import type { NamedSong } from '../../state/wish-reading.ts';
import type { ShownAnalysis } from '../../state/songs.ts';
import { percent } from '../../texts.ts';
import { MusicText } from '../common/MusicText.tsx';
import { FeedbackForm } from './FeedbackForm.tsx';
import { SUGGESTIONS } from './suggestions.ts';

/** Asks for another version by feedback. `onIterationRequest` is awaited; its error is shown. */
export function ClaudeCollaboration({
  mashupConcept,
  analysisData = [],
  quickSuggestions = SUGGESTIONS,
  songs,
  readBy,
  onIterationRequest,
}: {
  /** Shown above the form, unless it is empty. */
  mashupConcept: string;
  analysisData?: (ShownAnalysis | undefined)[];
  quickSuggestions?: string[];
  /** The songs that feedback may name. */
  songs?: readonly NamedSong[];
  /** Who decides whether feedback is understood. */
  readBy?: 'rules' | 'planner' | undefined;
  onIterationRequest: (feedback: string) => Promise<void> | void;
}) {
  const id = useId();
  return (
    <section className="mashup-ui panel" aria-labelledby={`${id}title`} data-testid="collaboration">
      <h2 id={`${id}title`} className="text-lg font-semibold">
        Ask for another version
      </h2>
      {mashupConcept !== '' && (
        <p className="mt-1 line-clamp-3 text-sm text-soft">
          <MusicText text={mashupConcept} />
        </p>
      )}
      {analysisData.some((analysis) => analysis !== undefined) && (
        <ul className="mt-3 flex flex-wrap gap-2" aria-label="The songs">
          {analysisData.map(
            (analysis, index) =>
              analysis && (
                <li key={index} className="chip max-w-full">
                  {songs?.[index] && <span className="truncate">{songs[index].name}&nbsp;·&nbsp;</span>}
                  <span className="shrink-0">
                    {analysis.rhythmic.has_beat === false ? 'no beat' : `${Math.round(analysis.rhythmic.bpm)} bpm`} ·{' '}
                    <MusicText text={displayKey(analysis.harmonic.key)} /> · voice{' '}
                    {percent(analysis.vocal.vocal_presence)}
                  </span>
                </li>
              ),
          )}
        </ul>
      )}
      <FeedbackForm suggestions={quickSuggestions} songs={songs} readBy={readBy} onSubmit={onIterationRequest} />
    </section>
  );
}
