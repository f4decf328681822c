/** The account of a user: its data, and its deletion. */
import type { SupabaseClient } from '@supabase/supabase-js';
import type { AccountPage, DeleteAccountAnswer } from '../../schema/api.ts';
import { BUCKET } from '../../schema/constants.ts';
import { invoke, rpc } from './calls.ts';
import { MashupClientError } from './errors.ts';

/** Life of the links to files in seconds: a day. */
const LINK_SECONDS = 24 * 3600;
/** Links signed in one request. */
const LINKS_PER_REQUEST = 100;

/** Everything that the engine keeps of a user. */
export interface AccountExport extends Omit<AccountPage, 'files' | 'next'> {
  /** Uploads and current results, each with a link that is valid for a day. Null: the file has been deleted meanwhile. */
  files: (AccountPage['files'][number] & { url: string | null })[];
}

/**
 * Exports the data of the signed-in user: mashups with plans, scores, reports and history, analyses, and links to the files.
 * @throws MashupClientError
 */
export async function exportAccount(supabase: SupabaseClient): Promise<AccountExport> {
  const page = (after: string | null): Promise<AccountPage> => rpc<AccountPage>(supabase, 'export_account', { after });
  const { next, files, ...data } = await page(null);
  for (let after = next; after !== null;) {
    const { mashups, next: following } = await page(after);
    data.mashups.push(...mashups);
    after = following;
  }
  return { ...data, files: await withLinks(supabase, files) };
}

/**
 * Deletes the account of the signed-in user with all mashups and files, and signs out. Files are deleted within seconds.
 * @throws MashupClientError
 */
export async function deleteAccount(supabase: SupabaseClient): Promise<void> {
  await invoke<DeleteAccountAnswer>(supabase, 'delete-account', { confirm: 'delete my account' });
  // Only here: Auth does not know the session any more.
  await supabase.auth.signOut({ scope: 'local' });
}

async function withLinks(supabase: SupabaseClient, files: AccountPage['files']): Promise<AccountExport['files']> {
  const links = new Map<string, string>();
  for (let start = 0; start < files.length; start += LINKS_PER_REQUEST) {
    const paths = files.slice(start, start + LINKS_PER_REQUEST).map(({ path }) => path);
    const { data, error } = await supabase.storage.from(BUCKET).createSignedUrls(paths, LINK_SECONDS);
    if (error) {
      throw new MashupClientError('storage_failed', 'The links to your files could not be made.', {
        hint: 'Try again in a moment.',
        details: error.message,
        cause: error,
      });
    }
    for (const { path, signedUrl } of data) if (path !== null && signedUrl) links.set(path, signedUrl);
  }
  return files.map((file) => ({ ...file, url: links.get(file.path) ?? null }));
}
