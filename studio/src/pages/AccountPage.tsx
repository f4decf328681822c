import { useState } from 'react';
import type { FormEvent } from 'react';
import { Notice } from '../components/Notice.tsx';
import type { Problem } from '../state/problem.ts';
import { useStore } from '../state/store.ts';
import { useStudio } from '../state/studio.tsx';

const PASSWORD_MIN = 6;
const NOT_IMPLEMENTED = 501;

function hintFor(verb: 'in' | 'up', status: number | undefined): string {
  if (verb === 'in') return 'Check e-mail and password, or create an account.';
  if (status === NOT_IMPLEMENTED) {
    return 'This server cannot turn a guest into an account. Leave the guest account first; its mashups stay behind.';
  }
  return 'Try another e-mail or a longer password.';
}

/** Who is signed in; sign in, sign up and out. */
export function AccountPage() {
  const { supabase, session: keeper } = useStudio();
  const { session } = useStore(keeper);
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [problem, setProblem] = useState<Problem>();
  const [told, setTold] = useState('');
  const user = session?.user;
  const isKnown = user !== undefined && user.is_anonymous !== true;

  const attempt = async (verb: 'in' | 'up'): Promise<void> => {
    setProblem(undefined);
    setTold('');
    const credentials = { email, password };
    const { error } =
      verb === 'in'
        ? await supabase.auth.signInWithPassword(credentials)
        : // An anonymous visitor keeps mashups by giving the account a name.
          user?.is_anonymous === true
          ? await supabase.auth.updateUser(credentials)
          : await supabase.auth.signUp(credentials);
    if (error) {
      setProblem({ message: error.message, hint: hintFor(verb, error.status) });
    } else {
      setPassword('');
      setTold(
        verb === 'in' ? 'Signed in.' : 'The account is there. If your project confirms e-mails, look into your inbox.',
      );
    }
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void attempt('in');
  };

  return (
    <div className="mx-auto max-w-md space-y-5">
      <h1 className="text-2xl font-semibold">Account</h1>
      <p className="text-soft" data-testid="who">
        {user === undefined
          ? 'You are a visitor. With your first song you get a guest account on this device.'
          : isKnown
            ? `Signed in as ${user.email}.`
            : 'You are a guest: your mashups belong to this browser. Create an account to reach them from others.'}
      </p>
      {!isKnown && (
        <form className="panel space-y-4" onSubmit={submit}>
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
              autoComplete="current-password"
              minLength={PASSWORD_MIN}
              required
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          </div>
          <div className="flex gap-2">
            <button type="submit" className="button-primary">
              Sign in
            </button>
            <button
              type="button"
              className="button"
              disabled={email === '' || password.length < PASSWORD_MIN}
              onClick={() => void attempt('up')}
            >
              Create account
            </button>
          </div>
        </form>
      )}
      {user !== undefined && (
        <button type="button" className="button" onClick={() => void supabase.auth.signOut()}>
          {isKnown ? 'Sign out' : 'Leave the guest account'}
        </button>
      )}
      {problem && <Notice problem={problem} />}
      <p role="status" className="text-sm text-good">
        {told}
      </p>
    </div>
  );
}
