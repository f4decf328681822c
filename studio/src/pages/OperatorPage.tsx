import { useState } from 'react';
import type { SupabaseClient } from '@supabase/supabase-js';
import { Notice } from '@mashup-engine/react';
import type { StudioConfig } from '../config.ts';
import { Field } from '../components/account/Field.tsx';
import { Board } from '../operator/Board.tsx';
import { JobSearch } from '../operator/JobSearch.tsx';
import { JobView } from '../operator/JobView.tsx';
import { useOperator } from '../operator/useOperator.ts';
import type { Operator } from '../operator/useOperator.ts';

/** The operator's page. It opens for accounts with the operator claim; no key enters it. */
export default function OperatorPage({
  config,
  id,
  query,
}: {
  config: StudioConfig;
  /** `jobs` for the list of jobs, or the id of a job. */
  id: string | undefined;
  /** The filters of the list, or the chosen task of the job. */
  query: string;
}) {
  const operator = useOperator(config);
  if (operator.isUnknown) return <p className="panel min-h-64 text-soft">Loading…</p>;
  if (operator.supabase === undefined) return <SignIn operator={operator} />;
  return (
    <div className="space-y-5">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <h1 className="text-2xl font-semibold sm:text-3xl">Operator</h1>
        <p className="flex items-center gap-3 text-sm text-soft">
          {operator.email}
          {operator.signOut !== undefined && (
            <button type="button" className="button-quiet" onClick={() => void operator.signOut?.()}>
              Sign out
            </button>
          )}
        </p>
      </div>
      <Views id={id} />
      <View supabase={operator.supabase} id={id} query={query} />
    </div>
  );
}

/** Links to the views of the page. */
function Views({ id }: { id: string | undefined }) {
  const views = [
    { name: 'Overview', href: '#/operator', isCurrent: id === undefined },
    { name: 'All jobs', href: '#/operator/jobs', isCurrent: id === 'jobs' },
  ];
  return (
    <nav aria-label="Views" className="flex gap-2">
      {views.map(({ name, href, isCurrent }) => (
        <a
          key={href}
          href={href}
          aria-current={isCurrent ? 'page' : undefined}
          className={`button ${isCurrent ? 'border-accent' : ''}`}
        >
          {name}
        </a>
      ))}
    </nav>
  );
}

function View({ supabase, id, query }: { supabase: SupabaseClient; id: string | undefined; query: string }) {
  if (id === undefined) return <Board supabase={supabase} />;
  if (id === 'jobs') return <JobSearch supabase={supabase} query={query} />;
  return <JobView key={id} supabase={supabase} jobId={id} query={query} />;
}

function SignIn({ operator }: { operator: Operator }) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  return (
    <form
      className="panel mx-auto max-w-lg space-y-4"
      aria-label="Sign in as operator"
      onSubmit={(event) => {
        event.preventDefault();
        void operator.signIn({ email, password }).finally(() => setPassword(''));
      }}
    >
      <h1 className="text-2xl font-semibold">Operator</h1>
      <p className="text-sm text-soft">
        Jobs, failures, services and replays of all users. Sign in with an account that has operator rights; for a local
        stack <code>npm start</code> prints one. Your own session on the other pages stays as it is.
      </p>
      <Field id="operator-email" label="E-mail" type="email" autoComplete="username" value={email} onText={setEmail} />
      <Field
        id="operator-password"
        label="Password"
        type="password"
        autoComplete="current-password"
        value={password}
        onText={setPassword}
      />
      <button type="submit" className="button-primary" disabled={operator.isSending}>
        Sign in
      </button>
      {operator.problem && <Notice problem={operator.problem} />}
    </form>
  );
}
