import { useEffect, useId, useRef, useState } from 'react';
import { shareLinks } from '@mashup-engine/client';
import type { MashupJob, ShareLinks } from '@mashup-engine/client';
import { Icon } from '../common/icons.tsx';
import { Notice } from '../common/Notice.tsx';
import { isDoubleClick } from '../common/press.ts';
import { CopyField } from './CopyField.tsx';
import { useShare } from './useShare.ts';
import type { Share } from './useShare.ts';

interface Props {
  job: MashupJob;
  /** URL of the site that has the pages of shared mashups. */
  shareUrl: string;
  onClose: () => void;
}

/** The dialog of a mashup's public link: make it, copy it, embed the mashup, and stop sharing. */
export function ShareDialog({ job, shareUrl, onClose }: Props) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const share = useShare(job);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={`${id}title`}
      data-testid="share-dialog"
      className="mashup-ui w-[min(34rem,calc(100vw-1.5rem))] rounded-2xl border border-line bg-panel p-4 text-ink backdrop:bg-black/60 sm:p-6"
      onClose={onClose}
      onClick={(event) => {
        // The dialog itself is what lies outside of its content.
        if (event.target === dialog.current) dialog.current.close();
      }}
    >
      <div className="-m-4 p-4 sm:-m-6 sm:p-6">
        <div className="flex items-start justify-between gap-3">
          <h2 id={`${id}title`} className="text-lg font-semibold">
            Share this mashup
          </h2>
          <button
            type="button"
            className="button-quiet -mr-2 -mt-1"
            aria-label="Close"
            onClick={() => dialog.current?.close()}
          >
            <Icon name="close" />
          </button>
        </div>
        <ShareContent share={share} title={job.title ?? 'Mashup'} shareUrl={shareUrl} />
        {share.problem && (
          <div className="mt-4">
            <Notice problem={share.problem} />
          </div>
        )}
      </div>
    </dialog>
  );
}

function ShareContent({ share: state, title, shareUrl }: { share: Share; title: string; shareUrl: string }) {
  const { share, isOff, isBusy, make } = state;
  if (share === undefined) {
    return (
      <p role="status" className="mt-3 min-h-10 text-sm text-soft">
        {state.problem === undefined && 'Looking for the link…'}
      </p>
    );
  }
  if (share === null) {
    return (
      <>
        <p className="mt-3 text-sm text-soft">
          Whoever has the link can listen, and sees the title, the names of the songs and the timeline. It needs no
          account, and works until you stop sharing.
        </p>
        <button
          type="button"
          className="button-primary mt-4"
          disabled={isBusy || isOff}
          onClick={() => void make()}
          autoFocus
        >
          <Icon name="link" />
          {isBusy ? 'Making the link…' : 'Make a link'}
        </button>
      </>
    );
  }
  if (share.token === null) {
    return (
      <div className="mt-4">
        <Notice
          kind="warn"
          problem={{ message: 'The link of this mashup was taken down.', hint: share.reason ?? '' }}
        />
      </div>
    );
  }
  return (
    <>
      {!isOff && <SharedContent links={shareLinks(shareUrl, share.token)} title={title} />}
      <StopSharing isBusy={isBusy} onStop={state.stop} />
    </>
  );
}

function SharedContent({ links, title }: { links: ShareLinks; title: string }) {
  const hasShareSheet = typeof navigator.share === 'function';
  return (
    <div className="mt-3 space-y-2">
      <p className="text-sm text-soft">Whoever has the link can listen, without an account.</p>
      {/* The button that made the link is gone, and with it the focus. */}
      <CopyField label="Link" text={links.page} hasFocus />
      <CopyField label="HTML of a player for your own page" text={links.embedCode} rows={3} />
      <div className="flex flex-wrap gap-2">
        {hasShareSheet && (
          <button
            type="button"
            className="button"
            // The user may close the sheet without a choice.
            onClick={() => void navigator.share({ title, url: links.page }).catch(() => {})}
          >
            <Icon name="share" />
            Send it with…
          </button>
        )}
        <a className="button" href={links.page} target="_blank" rel="noopener">
          Open the page
        </a>
      </div>
    </div>
  );
}

function StopSharing({ isBusy, onStop }: { isBusy: boolean; onStop: () => Promise<void> }) {
  /** Undefined before the first press. */
  const [isAsked, setIsAsked] = useState<boolean>();
  return (
    <div className="mt-5 border-t border-line pt-4">
      {isAsked ? (
        <div role="group" aria-label="Stop sharing?">
          <p className="text-sm">
            The link will lead nowhere, and players on other pages will stop. A later link is another one.
          </p>
          <div className="mt-3 flex flex-wrap gap-2">
            <button
              type="button"
              className="button"
              disabled={isBusy}
              onClick={(click) => void (isDoubleClick(click) || onStop())}
              autoFocus
            >
              <Icon name="close" />
              Yes, stop sharing
            </button>
            <button type="button" className="button" onClick={() => setIsAsked(false)}>
              Keep the link
            </button>
          </div>
        </div>
      ) : (
        <button type="button" className="button" onClick={() => setIsAsked(true)} autoFocus={isAsked === false}>
          Stop sharing
        </button>
      )}
    </div>
  );
}
