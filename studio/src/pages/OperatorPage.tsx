import { useId, useState } from 'react';
import type { SupabaseClient } from '@supabase/supabase-js';
import type { StudioConfig } from '../config.ts';
import { Board } from '../operator/Board.tsx';
import { openOperator } from '../supabase.ts';

/** For whoever runs the engine: opens with the service role key, which stays in this page's memory. */
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
        setSupabase(openOperator(config, key.trim()));
        setKey('');
      }}
    >
      <h1 className="text-2xl font-semibold">Operator</h1>
      <p className="text-sm text-soft">
        Jobs, failures, services and replays of all users. Paste the service role key: <code>npm start</code> prints
        that of a local stack. It is kept in memory until you leave or lock this page, and stored nowhere.
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
