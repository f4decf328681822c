import { useId, useState } from 'react';
import { toProblem } from '../../state/problem.ts';
import type { Problem } from '../../state/problem.ts';
import { useWishReading } from '../../hooks/useWishReading.ts';
import type { NamedSong } from '../../state/wish-reading.ts';
import { WishChips } from '../wishes/WishChips.tsx';
import { Icon } from '../common/icons.tsx';
import { Notice } from '../common/Notice.tsx';

const FEEDBACK_MAX = 1000;

/** A text with suggestions that can be added by a click. `onSubmit` is awaited; its error is shown. */
export function FeedbackForm({
  suggestions,
  songs = [],
  readBy,
  onSubmit,
}: {
  suggestions: string[];
  /** The songs that the text may name. */
  songs?: readonly NamedSong[];
  /** Who decides whether the text is understood. */
  readBy?: 'rules' | 'planner' | undefined;
  onSubmit: (feedback: string) => Promise<void> | void;
}) {
  const id = useId();
  const [feedback, setFeedback] = useState('');
  const { isSubmitting, problem, submit } = useSubmission(onSubmit, () => setFeedback(''));
  const reading = useWishReading(feedback, songs);
  return (
    <>
      <form
        className="mt-4"
        onSubmit={(event) => {
          event.preventDefault();
          void submit(feedback);
        }}
      >
        <label htmlFor={`${id}feedback`} className="label">
          What should change?
        </label>
        <textarea
          id={`${id}feedback`}
          className="field mt-1 min-h-20"
          maxLength={FEEDBACK_MAX}
          value={feedback}
          onChange={(event) => setFeedback(event.target.value)}
          placeholder="In your own words: the drop should come earlier, keep the first song's voice…"
        />
        <WishChips reading={reading} readBy={readBy} fieldId={`${id}feedback`} onChange={setFeedback} />
        <Suggestions
          texts={suggestions}
          isDisabled={isSubmitting}
          onChoose={(text) => setFeedback((known) => appendSentence(known, text))}
        />
        <button type="submit" className="button-primary mt-4" disabled={isSubmitting || feedback.trim() === ''}>
          <Icon name="spark" />
          {isSubmitting ? 'Sending…' : 'Make this version'}
        </button>
      </form>
      {problem && (
        <div className="mt-3">
          <Notice problem={problem} kind={problem.isNotUnderstood ? 'warn' : 'bad'} />
        </div>
      )}
    </>
  );
}

function Suggestions({
  texts,
  isDisabled,
  onChoose,
}: {
  texts: string[];
  isDisabled: boolean;
  onChoose: (text: string) => void;
}) {
  return (
    <div className="mt-3 flex flex-wrap gap-2">
      {texts.map((text) => (
        <button
          key={text}
          type="button"
          className="min-h-8 rounded-full border border-line px-3 py-1 text-sm text-soft transition-colors hover:border-accent hover:text-ink disabled:opacity-50"
          disabled={isDisabled}
          onClick={() => onChoose(text)}
        >
          {text}
        </button>
      ))}
    </div>
  );
}

function appendSentence(text: string, sentence: string): string {
  return text === '' ? sentence : `${text.replace(/[.,;]?\s*$/, '')}. ${sentence}`;
}

interface Submission {
  isSubmitting: boolean;
  problem: Problem | undefined;
  submit(feedback: string): Promise<void>;
}

function useSubmission(onSubmit: (feedback: string) => Promise<void> | void, onSuccess: () => void): Submission {
  const [isSubmitting, setIsSubmitting] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const submit = async (feedback: string): Promise<void> => {
    if (feedback.trim() === '' || isSubmitting) return;
    setIsSubmitting(true);
    setProblem(undefined);
    try {
      await onSubmit(feedback.trim());
      onSuccess();
    } catch (error) {
      setProblem(toProblem(error));
    } finally {
      setIsSubmitting(false);
    }
  };
  return { isSubmitting, problem, submit };
}
