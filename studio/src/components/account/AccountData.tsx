import { useState } from 'react';
import { deleteAccount, exportAccount } from '@mashup-engine/client';
import { Notice, toProblem, useStudio } from '@mashup-engine/react';
import type { Problem } from '@mashup-engine/react';
import { isDoubleClick } from '@mashup-engine/react/kit';

/** The browser reads the file after the click. */
const KEEP_BLOB_MS = 60_000;

/** Saves what is kept of the user as a file, or deletes the account after a second press. */
export function AccountData() {
  const { supabase } = useStudio();
  const [isBusy, setIsBusy] = useState(false);
  const [isConfirming, setIsConfirming] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const run = async (work: () => Promise<void>): Promise<void> => {
    setIsBusy(true);
    setProblem(undefined);
    await work().catch((error: unknown) => setProblem(toProblem(error)));
    setIsBusy(false);
  };
  return (
    <section className="panel space-y-4" aria-label="Your data">
      <h2 className="text-lg font-semibold">Your data</h2>
      <p className="text-sm text-soft">
        The file has your mashups, plans, analyses and history, and links to your songs and results that work for a day.
      </p>
      <button
        type="button"
        className="button"
        disabled={isBusy}
        onClick={() => void run(async () => saveJson('mashup-account.json', await exportAccount(supabase)))}
      >
        Download my data
      </button>
      <p className="text-sm text-soft">
        Deleting the account deletes all of your songs and mashups. It cannot be undone.
      </p>
      <div className="flex flex-wrap gap-2">
        <button
          type="button"
          className="button"
          disabled={isBusy}
          onClick={(click) => {
            if (!isConfirming) setIsConfirming(true);
            else if (!isDoubleClick(click)) void run(() => deleteAccount(supabase));
          }}
        >
          {isConfirming ? 'Delete the account and everything in it' : 'Delete my account'}
        </button>
        {isConfirming && (
          <button type="button" className="button-quiet" onClick={() => setIsConfirming(false)}>
            Keep it
          </button>
        )}
      </div>
      {problem && <Notice problem={problem} />}
    </section>
  );
}

/** Saves a value as a JSON file of the browser's user. */
function saveJson(name: string, value: unknown): void {
  const href = URL.createObjectURL(new Blob([JSON.stringify(value, null, 2)], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = href;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(href), KEEP_BLOB_MS);
}
