/** Who the operator is: the page's user if that account has the claim, else a session of its own. */
import { useEffect, useState } from 'react';
import type { Session, SupabaseClient, User } from '@supabase/supabase-js';
import { useStore, useStudio } from '@mashup-engine/react';
import type { Problem } from '@mashup-engine/react';
import { OPERATOR_ROLE } from '../../../schema/constants.ts';
import type { StudioConfig } from '../config.ts';
import { createOperatorClient } from '../supabase.ts';
import { NO_OPERATOR_RIGHTS } from './actions.ts';

export interface Operator {
  /** The operator's client; undefined while no operator is signed in. */
  supabase: SupabaseClient | undefined;
  email: string | undefined;
  /** It is not known yet whether an operator is signed in. */
  isUnknown: boolean;
  isSending: boolean;
  problem: Problem | undefined;
  signIn(credentials: { email: string; password: string }): Promise<void>;
  /** Ends the operator's own session; undefined if the page's user is the operator. */
  signOut: (() => Promise<unknown>) | undefined;
}

/** Returns the operator of the page, and signs in and out. */
export function useOperator(config: StudioConfig): Operator {
  const { supabase: pageClient, session: sessionStore } = useStudio();
  const { session: pageSession } = useStore(sessionStore);
  const [client] = useState(() => createOperatorClient(config));
  const [session, setSession] = useState<Session | null>();
  const [isSending, setIsSending] = useState(false);
  const [problem, setProblem] = useState<Problem>();

  useEffect(() => {
    const { data } = client.auth.onAuthStateChange((_event, current) => setSession(current));
    return () => data.subscription.unsubscribe();
  }, [client]);

  const isPageUser = isOperator(pageSession?.user);
  const isOwn = !isPageUser && isOperator(session?.user);
  return {
    supabase: isPageUser ? pageClient : isOwn ? client : undefined,
    email: isPageUser ? pageSession?.user.email : session?.user.email,
    isUnknown: !isPageUser && (session === undefined || pageSession === undefined),
    isSending,
    problem,
    async signIn(credentials) {
      setProblem(undefined);
      setIsSending(true);
      const { data, error } = await client.auth.signInWithPassword(credentials);
      setIsSending(false);
      if (error) return setProblem({ message: error.message, hint: 'Check e-mail and password.' });
      if (isOperator(data.user)) return;
      setProblem(NO_OPERATOR_RIGHTS);
      await client.auth.signOut({ scope: 'local' });
    },
    signOut: isOwn ? () => client.auth.signOut({ scope: 'local' }) : undefined,
  };
}

function isOperator(user: User | undefined): boolean {
  return user?.app_metadata['mashup_role'] === OPERATOR_ROLE;
}
