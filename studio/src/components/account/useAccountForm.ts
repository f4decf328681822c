/** Sign-in and sign-up with e-mail and password. */
import { useState } from 'react';
import type { AuthError, SupabaseClient } from '@supabase/supabase-js';
import { useStudio } from '@mashup-engine/react';
import type { Problem } from '@mashup-engine/react';

/** Least length of a password, by Supabase's default. */
export const PASSWORD_MIN = 6;

export type AccountMode = 'sign-in' | 'sign-up';

export interface Credentials {
  email: string;
  password: string;
}

const HINTS: Record<string, string> = {
  invalid_credentials: 'Check e-mail and password, or create an account.',
  email_exists: 'Sign in instead, or use another e-mail.',
  user_already_exists: 'Sign in instead, or use another e-mail.',
  weak_password: `Use at least ${PASSWORD_MIN} characters.`,
  email_not_confirmed: 'Open the link in the e-mail, then sign in.',
};

export interface AccountForm {
  isSending: boolean;
  /** What was done; empty while nothing was. */
  message: string;
  problem: Problem | undefined;
  clearProblem(): void;
  clearMessage(): void;
  submit(mode: AccountMode, credentials: Credentials): Promise<void>;
}

/** State of the account form. A guest who signs up stays the same user and keeps all mashups. */
export function useAccountForm(isGuest: boolean): AccountForm {
  const { supabase } = useStudio();
  const [isSending, setIsSending] = useState(false);
  const [message, setMessage] = useState('');
  const [problem, setProblem] = useState<Problem>();
  return {
    isSending,
    message,
    problem,
    clearProblem: () => setProblem(undefined),
    clearMessage: () => setMessage(''),
    async submit(mode, credentials) {
      setProblem(undefined);
      setMessage('');
      setIsSending(true);
      try {
        const error = await (mode === 'sign-in' ? signIn : isGuest ? upgradeGuest : signUp)(supabase, credentials);
        if (error) setProblem(problemOf(error));
        else setMessage(mode === 'sign-in' ? 'Signed in.' : await createdText(supabase));
      } finally {
        setIsSending(false);
      }
    },
  };
}

/** A project that confirms addresses signs nobody in before. */
async function createdText(supabase: SupabaseClient): Promise<string> {
  const { user } = (await supabase.auth.getSession()).data.session ?? {};
  const isThere = user !== undefined && user.is_anonymous !== true;
  return isThere ? 'Account created.' : 'Account created. Open the link in the e-mail to confirm it, then sign in.';
}

async function signIn(supabase: SupabaseClient, credentials: Credentials): Promise<AuthError | null> {
  return (await supabase.auth.signInWithPassword(credentials)).error;
}

async function signUp(supabase: SupabaseClient, credentials: Credentials): Promise<AuthError | null> {
  return (await supabase.auth.signUp(credentials)).error;
}

async function upgradeGuest(supabase: SupabaseClient, credentials: Credentials): Promise<AuthError | null> {
  const { error } = await supabase.auth.updateUser(credentials);
  // The current token still says that the user is anonymous.
  if (!error) await supabase.auth.refreshSession();
  return error;
}

function problemOf(error: AuthError): Problem {
  return { message: error.message, hint: HINTS[error.code ?? ''] ?? 'Try again in a moment.' };
}
