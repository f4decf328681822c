import type { User } from '@supabase/supabase-js';
import { AccountData } from '../components/account/AccountData.tsx';
import { Notice, useStore, useStudio } from '@mashup-engine/react';
import { AccountForm } from '../components/account/AccountForm.tsx';
import { useAccountForm } from '../components/account/useAccountForm.ts';

/** Shows who is signed in; signs in, up and out. A guest who signs up stays the same user and keeps all mashups. */
export default function AccountPage() {
  const { supabase, session: sessionStore } = useStudio();
  const { session, isGuestAllowed } = useStore(sessionStore);
  const user = session?.user;
  const isGuest = user?.is_anonymous === true;
  const hasAccount = user !== undefined && !isGuest;
  const form = useAccountForm(isGuest);
  const signOut = async (): Promise<void> => {
    form.clearMessage();
    await supabase.auth.signOut({ scope: 'local' });
  };
  return (
    <div className="mx-auto max-w-md space-y-5">
      <h1 className="text-2xl font-semibold sm:text-3xl">Account</h1>
      <p className="text-soft" data-testid="who">
        {userText(user, isGuestAllowed)}
      </p>
      {!hasAccount && <AccountForm isGuest={isGuest} form={form} />}
      {form.problem && <Notice problem={form.problem} />}
      <p role="status" className="text-sm text-good">
        {form.message}
      </p>
      {user !== undefined && (
        <button type="button" className="button" onClick={() => void signOut()}>
          {hasAccount ? 'Sign out' : 'Leave the guest account'}
        </button>
      )}
      {user !== undefined && <AccountData key={user.id} />}
    </div>
  );
}

function userText(user: User | undefined, isGuestAllowed: boolean): string {
  if (user === undefined && !isGuestAllowed) return 'You are not signed in. This studio needs an account.';
  if (user === undefined) return 'You are not signed in. Your first song creates a guest account on this device.';
  if (user.is_anonymous !== true) return `Signed in as ${user.email}.`;
  return 'You are a guest: your mashups belong to this browser. Create an account to use them in other browsers.';
}
