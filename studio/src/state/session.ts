/** Who is using the page: a visitor is signed in anonymously the moment something has to belong to somebody. */
import type { Session, SupabaseClient } from '@supabase/supabase-js';
import { MashupClientError } from '@mashup-engine/client';
import { createStore } from './store.ts';
import type { Store } from './store.ts';

export interface SessionState {
  /** Undefined until it is known. */
  session: Session | null | undefined;
}

export interface SessionKeeper extends Store<SessionState> {
  /**
   * The session, by anonymous sign-in where there is none.
   * @throws MashupClientError `sign_in_required` where the project allows no anonymous users
   */
  ensure(): Promise<Session>;
}

export function keepSession(supabase: SupabaseClient): SessionKeeper {
  const store = createStore<SessionState>({ session: undefined });
  let signingIn: Promise<Session> | undefined;
  supabase.auth.onAuthStateChange((_event, session) => store.set({ session }));

  const signIn = async (): Promise<Session> => {
    const { data } = await supabase.auth.getSession();
    if (data.session) return data.session;
    const answer = await supabase.auth.signInAnonymously();
    if (answer.data.session) return answer.data.session;
    if (answer.error?.name === 'AuthRetryableFetchError') {
      throw new MashupClientError('unreachable', 'The server cannot be reached.', {
        hint: 'Check the connection, then try again.',
        cause: answer.error,
      });
    }
    throw new MashupClientError('sign_in_required', 'You are not signed in.', {
      hint: 'Sign in with e-mail and password (Account, top right), then try again.',
      cause: answer.error,
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
