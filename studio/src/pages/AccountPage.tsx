import { useState } from 'react';
import type { FormEvent } from 'react';
import type { AuthError } from '@supabase/supabase-js';
import { Notice } from '../components/common/Notice.tsx';
import type { Problem } from '../state/problem.ts';
import { useStore } from '../state/store.ts';
import { useStudio } from '../state/studio.tsx';

const PASSWORD_MIN = 6;
type Verb = 'in' | 'up';

const HINTS: Record<string, string> = {
  invalid_credentials: 'Check e-mail and password, or create an account.',
  email_exists: 'Sign in instead, or take another e-mail.',
  user_already_exists: 'Sign in instead, or take another e-mail.',
  weak_password: `Take ${PASSWORD_MIN} characters or more.`,
  email_not_confirmed: 'Open the link that was sent to you, then sign in.',
};

function problemOf(error: AuthError): Problem {
  return { message: error.message, hint: HINTS[error.code ?? ''] ?? 'Try again in a moment.' };
}

/** Who is signed in; sign in, sign up and out. A guest who signs up stays the same user and keeps all mashups. */
export function AccountPage() {
  const { supabase, session: keeper } = useStudio();
  const { session } = useStore(keeper);
  const [verb, setVerb] = useState<Verb>();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [problem, setProblem] = useState<Problem>();
  const [told, setTold] = useState('');
  const [isAsking, setIsAsking] = useState(false);
  const user = session?.user;
  const isGuest = user?.is_anonymous === true;
  const isKnown = user !== undefined && !isGuest;
  const shown = verb ?? (isGuest ? 'up' : 'in');

  const attempt = async (): Promise<void> => {
    const credentials = { email, password };
    if (shown === 'in') {
      const { error } = await supabase.auth.signInWithPassword(credentials);
      return error ? setProblem(problemOf(error)) : setTold('Signed in.');
    }
    const { error } = isGuest ? await supabase.auth.updateUser(credentials) : await supabase.auth.signUp(credentials);
    if (error) return setProblem(problemOf(error));
    // The token still says guest.
    if (isGuest) await supabase.auth.refreshSession();
    setTold('The account is there. If your project confirms e-mails, look into your inbox.');
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setProblem(undefined);
    setTold('');
    setIsAsking(true);
    void attempt().finally(() => {
      setPassword('');
      setIsAsking(false);
    });
  };

  return (
    <div className="mx-auto max-w-md space-y-5">
      <h1 className="text-2xl font-semibold sm:text-3xl">Account</h1>
      <p className="text-soft" data-testid="who">
        {user === undefined
          ? 'You are a visitor. With your first song you get a guest account on this device.'
          : isKnown
            ? `Signed in as ${user.email}.`
            : 'You are a guest: your mashups belong to this browser. Create an account to reach them from others.'}
      </p>
      {!isKnown && (
        <form className="panel space-y-4" onSubmit={submit} aria-label={shown === 'in' ? 'Sign in' : 'Create account'}>
          <div>
            <label className="label" htmlFor="email">
              E-mail
            </label>
            <input
              id="email"
              className="field mt-1"
              type="email"
              autoComplete="email"
              required
              value={email}
              onChange={(event) => setEmail(event.target.value)}
            />
          </div>
          <div>
            <label className="label" htmlFor="password">
              Password
            </label>
            <input
              id="password"
              className="field mt-1"
              type="password"
              autoComplete={shown === 'in' ? 'current-password' : 'new-password'}
              aria-describedby={shown === 'up' ? 'password-rule' : undefined}
              minLength={PASSWORD_MIN}
              required
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
            {shown === 'up' && (
              <p id="password-rule" className="mt-1 text-xs text-soft">
                {PASSWORD_MIN} characters or more.{isGuest && ' Your mashups come along.'}
              </p>
            )}
          </div>
          {shown === 'in' && isGuest && (
            <p className="text-sm text-soft">
              The guest’s mashups stay with the guest: create an account to keep them.
            </p>
          )}
          <div className="flex flex-wrap items-center gap-2">
            <button type="submit" className="button-primary" disabled={isAsking}>
              {shown === 'in' ? 'Sign in' : 'Create account'}
            </button>
            <button
              type="button"
              className="button-quiet"
              onClick={() => {
                setProblem(undefined);
                setVerb(shown === 'in' ? 'up' : 'in');
              }}
            >
              {shown === 'in' ? 'I have no account yet' : 'I have an account'}
            </button>
          </div>
        </form>
      )}
      {problem && <Notice problem={problem} />}
      <p role="status" className="text-sm text-good">
        {told}
      </p>
      {user !== undefined && (
        <button type="button" className="button" onClick={() => void supabase.auth.signOut({ scope: 'local' })}>
          {isKnown ? 'Sign out' : 'Leave the guest account'}
        </button>
      )}
    </div>
  );
}
