import { useId, useState } from 'react';
import { toProblem } from '../../state/problem.ts';
import type { Problem } from '../../state/problem.ts';
import type { ShownAnalysis } from '../../state/songs.ts';
import { percent } from '../../texts.ts';
import { Icon } from '../common/icons.tsx';
import { Notice } from '../common/Notice.tsx';
import { SUGGESTIONS } from './suggestions.ts';

const FEEDBACK_MAX = 1000;

/** Asks for another version in words; `onIterationRequest` is awaited. */
export function ClaudeCollaboration({
  mashupConcept,
  analysisData = [],
  quickSuggestions = SUGGESTIONS,
  onIterationRequest,
}: {
  mashupConcept: string;
  analysisData?: (ShownAnalysis | undefined)[];
  quickSuggestions?: string[];
  onIterationRequest: (feedback: string) => Promise<void> | void;
}) {
  const id = useId();
  const [feedback, setFeedback] = useState('');
  const [isAsking, setIsAsking] = useState(false);
  const [problem, setProblem] = useState<Problem>();

  const ask = async (words: string): Promise<void> => {
    if (words.trim() === '' || isAsking) return;
    setIsAsking(true);
    setProblem(undefined);
    try {
      await onIterationRequest(words.trim());
      setFeedback('');
    } catch (error) {
      setProblem(toProblem(error));
    } finally {
      setIsAsking(false);
    }
  };

  return (
    <section className="panel" aria-labelledby={`${id}title`} data-testid="collaboration">
      <h2 id={`${id}title`} className="text-lg font-semibold">
        Ask for another version
      </h2>
      {mashupConcept !== '' && <p className="mt-1 line-clamp-3 text-sm text-soft">{mashupConcept}</p>}
      {analysisData.some((analysis) => analysis !== undefined) && (
        <ul className="mt-3 flex flex-wrap gap-2" aria-label="The songs">
          {analysisData.map(
            (analysis, index) =>
              analysis && (
                <li key={index} className="chip">
                  {Math.round(analysis.rhythmic.bpm)} bpm · {analysis.harmonic.key} · voice{' '}
                  {percent(analysis.vocal.vocal_presence)}
                </li>
              ),
          )}
        </ul>
      )}
      <form
        className="mt-4"
        onSubmit={(event) => {
          event.preventDefault();
          void ask(feedback);
        }}
      >
        <label htmlFor={`${id}words`} className="label">
          What should change?
        </label>
        <textarea
          id={`${id}words`}
          className="field mt-1 min-h-20"
          maxLength={FEEDBACK_MAX}
          value={feedback}
          onChange={(event) => setFeedback(event.target.value)}
          placeholder="In your own words: the drop should come earlier, keep the first song's voice…"
        />
        <div className="mt-3 flex flex-wrap gap-2">
          {quickSuggestions.map((words) => (
            <button
              key={words}
              type="button"
              className="min-h-8 rounded-full border border-line px-3 py-1 text-sm text-soft transition-colors hover:border-accent hover:text-ink disabled:opacity-50"
              disabled={isAsking}
              onClick={() =>
                setFeedback((known) => (known === '' ? words : `${known.replace(/[.,;]?\s*$/, '')}. ${words}`))
              }
            >
              {words}
            </button>
          ))}
        </div>
        <button type="submit" className="button-primary mt-4" disabled={isAsking || feedback.trim() === ''}>
          <Icon name="spark" />
          {isAsking ? 'Asking…' : 'Make this version'}
        </button>
      </form>
      {problem && (
        <div className="mt-3">
          <Notice problem={problem} />
        </div>
      )}
    </section>
  );
}
