import { useId, useState } from 'react';
import type { SupabaseClient } from '@supabase/supabase-js';
import type { StudioConfig } from '../config.ts';
import { Board } from '../operator/Board.tsx';
import { createOperatorClient } from '../supabase.ts';

/** The operator's page. It opens with the service role key, which is kept in memory only. */
export default function OperatorPage({ config }: { config: StudioConfig }) {
  const id = useId();
  const [key, setKey] = useState('');
  const [supabase, setSupabase] = useState<SupabaseClient>();

  if (supabase) {
    return (
      <div className="space-y-5">
        <div className="flex items-center justify-between gap-3">
          <h1 className="text-2xl font-semibold sm:text-3xl">Operator</h1>
          <button type="button" className="button-quiet" onClick={() => setSupabase(undefined)}>
            Lock
          </button>
        </div>
        <Board supabase={supabase} />
      </div>
    );
  }
  return (
    <form
      className="panel mx-auto max-w-lg space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        setSupabase(createOperatorClient(config, key.trim()));
        setKey('');
      }}
    >
      <h1 className="text-2xl font-semibold">Operator</h1>
      <p className="text-sm text-soft">
        Jobs, failures, services and replays of all users. Paste the service role key; for a local stack{' '}
        <code>npm start</code> prints it. It is kept in memory until you leave or lock this page, and is not stored.
      </p>
      <div>
        <label className="label" htmlFor={id}>
          Service role key
        </label>
        <input
          id={id}
          className="field mt-1"
          type="password"
          autoComplete="off"
          required
          value={key}
          onChange={(event) => setKey(event.target.value)}
        />
      </div>
      <button type="submit" className="button-primary">
        Open
      </button>
    </form>
  );
}
