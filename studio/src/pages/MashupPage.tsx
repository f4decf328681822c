import type { Session } from '@supabase/supabase-js';
import { MashupView, Notice } from '@mashup-engine/react';

/** One mashup, opened by the id in the address. */
export function MashupPage({ session, onOpen }: { session: Session | null | undefined; onOpen: (id: string) => void }) {
  if (session === null) {
    return (
      <Notice
        problem={{ message: 'You are not signed in.', hint: 'Only the account that made this mashup can open it.' }}
      >
        <a className="mt-2 inline-block font-medium text-accent underline" href="#/account">
          Sign in
        </a>
      </Notice>
    );
  }
  return <MashupView onOpen={onOpen} onStartOver={() => (location.hash = '/')} />;
}
