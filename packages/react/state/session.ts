/** The session of the page. A visitor is signed in anonymously when the first song is uploaded. */
import type { Session, SupabaseClient } from '@supabase/supabase-js';
import { MashupClientError } from '@mashup-engine/client';
import { createStore } from './store.ts';
import type { Store } from './store.ts';

export interface SessionState {
  /** Null if nobody is signed in; undefined until that is known. */
  session: Session | null | undefined;
  /** Whether the last session has ended while the page was open: by signing out, here or in another tab, or because the server refused to renew it. */
  hasEnded: boolean;
  /** False once the project has refused a guest: visitors need an account. */
  isGuestAllowed: boolean;
}

export interface SessionStore extends Store<SessionState> {
  /**
   * Returns the session; without one, signs in anonymously.
   * @throws MashupClientError `sign_in_required` if the project allows no anonymous users, `unreachable`
   */
  ensure(): Promise<Session>;
}

/** Creates the store of the client's session. */
export function createSessionStore(supabase: SupabaseClient): SessionStore {
  const store = createStore<SessionState>({ session: undefined, hasEnded: false, isGuestAllowed: true });
  let signingIn: Promise<Session> | undefined;
  supabase.auth.onAuthStateChange((event, session) =>
    store.set({ session, hasEnded: session === null && (event === 'SIGNED_OUT' || store.get().hasEnded) }),
  );

  const signIn = async (): Promise<Session> => {
    const { data } = await supabase.auth.getSession();
    if (data.session) return data.session;
    const signedIn = await supabase.auth.signInAnonymously();
    if (signedIn.data.session) return signedIn.data.session;
    if (signedIn.error?.name === 'AuthRetryableFetchError') {
      throw new MashupClientError('unreachable', 'The server cannot be reached.', {
        hint: 'Check the connection, then try again.',
        cause: signedIn.error,
      });
    }
    store.set({ isGuestAllowed: false });
    throw new MashupClientError('sign_in_required', 'This studio needs an account.', {
      hint: 'Sign in or create one (Account, top right). It continues then.',
      cause: signedIn.error,
    });
  };

  return {
    ...store,
    ensure() {
      signingIn ??= signIn().finally(() => (signingIn = undefined));
      return signingIn;
    },
  };
}
