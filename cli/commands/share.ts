/** `mashup share`: makes the public link of a mashup, or revokes it. */
import type { Command } from 'commander';
import { shareLinks, shareMashup, unshareMashup } from '@mashup-engine/client';
import type { StackOptions } from '../connect.ts';
import { assertOwn } from '../find-job.ts';
import { ID_HELP, parseJobId } from '../job-id.ts';
import { print, printJson } from '../output.ts';
import { assertStudioRuns, studioAddress } from '../studio-address.ts';
import { withMashup } from '../with-mashup.ts';

interface ShareOptions extends StackOptions {
  revoke?: boolean;
  json?: boolean;
}

/** Adds the command to the program. */
export function addShare(program: Command): void {
  program
    .command('share')
    .description('make the public link of a finished mashup; whoever has it may listen, without an account')
    .argument('<id>', ID_HELP)
    .option('--revoke', 'revoke the link: nobody can open it any more')
    .option('--json', 'as JSON')
    .action((id: string, _options: unknown, command: Command) => share(id, command.optsWithGlobals<ShareOptions>()));
}

async function share(id: string, options: ShareOptions): Promise<void> {
  parseJobId(id);
  if (options.revoke === true) return revoke(id, options);
  // A stack that is started for the command would end with it, and the page with the stack.
  assertStudioRuns(options.dataDir);
  const site = studioAddress(options.dataDir);
  await withMashup(
    options,
    id,
    () => {},
    async (found) => {
      assertOwn(found);
      const { token, createdAt } = await shareMashup(found.supabase, found.job.id);
      const { page: url, embed } = shareLinks(site, token);
      if (options.json === true)
        return printJson({ type: 'share', job_id: found.job.id, url, embed, token, created_at: createdAt });
      print(url);
      if (['127.0.0.1', 'localhost', '[::1]'].includes(new URL(site).hostname))
        print(
          'Only this machine can open it, while the stack runs: docs/how-to/hosted.md is about a project that others reach.',
        );
    },
  );
}

async function revoke(id: string, options: ShareOptions): Promise<void> {
  await withMashup(
    options,
    id,
    () => {},
    async (found) => {
      assertOwn(found);
      const wasShared = await unshareMashup(found.supabase, found.job.id);
      if (options.json === true) printJson({ type: 'unshare', job_id: found.job.id, was_shared: wasShared });
      else print(wasShared ? 'The link is revoked.' : 'The mashup was not shared.');
    },
  );
}
