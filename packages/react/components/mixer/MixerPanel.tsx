import type { ReactNode } from 'react';
import type { Comparison } from '../../hooks/useComparison.ts';
import type { StemMixState } from '../../hooks/useStemMix.ts';
import { Icon } from '../common/icons.tsx';
import { loadedLater } from '../common/loaded-later.tsx';
import { Notice } from '../common/Notice.tsx';
import { ProgressBar } from '../common/ProgressBar.tsx';
import type { TimelineSong } from '../timeline/timeline.ts';

const StemMixer = loadedLater(() => import('./StemMixer.tsx'));

interface Props {
  mixer: StemMixState;
  comparison: Comparison;
  songs: TimelineSong[];
  /** What is shown below an open mixer, such as downloads. */
  children?: ReactNode;
}

/** The mixer of a finished mashup. It asks for the stems when it is opened; the mashup plays on meanwhile. */
export function MixerPanel({ mixer, comparison, songs, children }: Props) {
  const { isOpen, mix, problem } = mixer;
  // Stems can be asked for of the current result alone.
  const isMissing = comparison.version === 'draft' && mixer.summary?.state !== 'ready';
  return (
    <section className="mashup-ui panel space-y-4" aria-label="Mixer">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <div className="min-w-0 flex-1 basis-56">
          <h2 className="text-lg font-semibold">Mixer</h2>
          <p className="text-sm text-soft" role="status" data-testid="mixer-status">
            {isMissing ? 'The draft has no stems: choose the studio version to mix it.' : statusOf(mixer)}
          </p>
        </div>
        <button
          type="button"
          className="button"
          aria-expanded={isOpen}
          disabled={isMissing}
          onClick={() => (isOpen ? mixer.close() : mixer.open())}
        >
          <Icon name={isOpen ? 'close' : 'plan'} />
          {isOpen ? 'Close the mixer' : 'Open the mixer'}
        </button>
      </div>
      {isOpen && mix === undefined && <StemProgress mixer={mixer} />}
      {problem && <Notice problem={problem} />}
      {isOpen && mix !== undefined && <StemMixer mix={mix} songs={songs} />}
      {isOpen && children}
    </section>
  );
}

/** What the mixer does now, in words. */
function statusOf({ isOpen, isHeard, mix, summary }: StemMixState): string {
  if (!isOpen) return 'Mute, solo and set the level of each stem of each song.';
  if (isHeard) return 'You hear the stems.';
  if (mix !== undefined || summary?.state === 'ready') return 'The stems are being loaded.';
  if (summary?.state === 'failed') return 'The stems could not be made.';
  return 'The stems are being made. The mashup plays on.';
}

/** How far the stems are, or why they could not be made. */
function StemProgress({ mixer: { summary, request } }: { mixer: StemMixState }) {
  if (summary?.state === 'failed') {
    const { message = 'The stems could not be made.', hint = '' } = summary;
    return (
      <Notice problem={{ message, hint }}>
        <button type="button" className="button mt-2" onClick={() => void request()}>
          <Icon name="retry" />
          Try again
        </button>
      </Notice>
    );
  }
  const progress = Math.round(summary?.state === 'ready' ? 100 : (summary?.progress ?? 0));
  return <ProgressBar label="Progress of the stems" percent={progress} />;
}
