import { useState } from 'react';
import { Field } from './Field.tsx';
import { PASSWORD_MIN } from './useAccountForm.ts';
import type { AccountForm as FormState, AccountMode } from './useAccountForm.ts';

/** The form that signs a visitor in or creates an account. */
export function AccountForm({ isGuest, form }: { isGuest: boolean; form: FormState }) {
  const [chosenMode, setChosenMode] = useState<AccountMode>();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const mode = chosenMode ?? (isGuest ? 'sign-up' : 'sign-in');
  const isSignIn = mode === 'sign-in';
  const action = isSignIn ? 'Sign in' : 'Create account';
  return (
    <form
      className="panel space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        void form.submit(mode, { email, password }).finally(() => setPassword(''));
      }}
      aria-label={action}
    >
      <Field id="email" label="E-mail" type="email" autoComplete="email" value={email} onText={setEmail} />
      <Field
        id="password"
        label="Password"
        type="password"
        autoComplete={isSignIn ? 'current-password' : 'new-password'}
        minLength={PASSWORD_MIN}
        value={password}
        onText={setPassword}
        rule={isSignIn ? undefined : `At least ${PASSWORD_MIN} characters.${isGuest ? ' Your mashups are kept.' : ''}`}
      />
      {isSignIn && isGuest && (
        <p className="text-sm text-soft">
          Mashups of the guest account do not move to another account. Create an account to keep them.
        </p>
      )}
      <div className="flex flex-wrap items-center gap-2">
        <button type="submit" className="button-primary" disabled={form.isSending}>
          {action}
        </button>
        <button
          type="button"
          className="button-quiet"
          onClick={() => {
            form.clearProblem();
            setChosenMode(isSignIn ? 'sign-up' : 'sign-in');
          }}
        >
          {isSignIn ? 'I have no account yet' : 'I have an account'}
        </button>
      </div>
    </form>
  );
}
