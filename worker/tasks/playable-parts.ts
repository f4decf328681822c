/** The playable parts of a mashup: where the renderer uploads them, and the job's row, which names those that are there. */
import { PlayableAudio } from '../../schema.ts';
import type { Plan, RenderRequest, UploadTarget } from '../../schema.ts';
import { MAX_PART_SEC, MAX_PLAYABLE_PARTS, partPath } from '../../schema/playable.ts';
import { publishPlayable, settingNumber } from '../database/database-api.ts';
import { errorText } from '../redact.ts';
import { uploadTarget } from './context.ts';
import type { TaskContext } from './context.ts';
import { plannedSeconds } from './output-file.ts';

/** Parts that are signed before the render. The renderer gets the URLs of later ones when it needs them: it may need few. */
const SIGNED_PARTS = 2;

/** Folder of the parts of a claim. */
const folderOf = (prefix: string): string => `${prefix}.parts`;

/** Returns the targets of the playable parts; undefined if the setting `max_playable_parts` is 0. */
export async function partTargets(context: TaskContext, plan: Plan, prefix: string): Promise<RenderRequest['parts']> {
  const limit = Math.min(MAX_PLAYABLE_PARTS, await settingNumber(context, 'max_playable_parts', MAX_PLAYABLE_PARTS));
  const { timeline } = plan.masterplan;
  const count = Math.min(limit, timeline.length + Math.ceil(plannedSeconds(plan) / MAX_PART_SEC) + 1);
  if (count < 1) return undefined;
  const path = folderOf(prefix);
  const paths = Array.from({ length: count }, (_, i) => partPath(path, i));
  const signed = await Promise.all(paths.slice(0, SIGNED_PARTS).map((part) => uploadTarget(context, part)));
  const first = signed[0]!;
  return { path, uploads: [...signed, ...paths.slice(SIGNED_PARTS).map((part) => unsignedTarget(first, part))] };
}

/** Returns the target of another object, whose URL has no token yet: the service asks for one when it uploads. */
export function unsignedTarget({ path, url, renewal }: UploadTarget, other: string): UploadTarget {
  const unsigned = new URL(url);
  unsigned.searchParams.delete('token');
  unsigned.pathname = unsigned.pathname.replace(path, other);
  return { path: other, url: unsigned.href, renewal };
}

/** Returns what the user has to know if parts were played of a mashup that was corrected afterwards. */
export function correctedNotes(corrections: readonly string[] = [], folder: string | undefined): string[] {
  if (folder === undefined || corrections.length === 0) return [];
  return ['The finished mashup differs from what could be played while it was rendered: it was corrected.'];
}

/** Writes the playable parts of one render to its job, at once and in order. */
export class PartsInRow {
  readonly #context: TaskContext;
  readonly #targets: NonNullable<RenderRequest['parts']>;
  #newest: PlayableAudio | undefined;
  #writing: Promise<void> | undefined;

  constructor(context: TaskContext, targets: NonNullable<RenderRequest['parts']>) {
    this.#context = context;
    this.#targets = targets;
  }

  /** Folder of the parts, if any were published. */
  get folder(): string | undefined {
    return this.#newest && this.#targets.path;
  }

  /** Takes what an event of the renderer says. Anything but more parts in the folder of this claim is ignored. */
  publish(sent: unknown): void {
    const { data } = PlayableAudio.safeParse(sent);
    const known = this.#newest?.ends.length ?? 0;
    if (!data || data.path !== this.#targets.path || data.ends.length > this.#targets.uploads.length) return;
    if (data.ends.length <= known) return;
    this.#newest = data;
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
  }

  /** Resolves when nothing is being written. */
  async written(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    const { claim, db, log } = this.#context;
    for (let done: PlayableAudio | undefined; this.#newest && done !== this.#newest;) {
      done = this.#newest;
      try {
        // A lost claim changes nothing; the heartbeat ends the task.
        await publishPlayable(db, claim, done);
      } catch (error) {
        log('warn', 'could not write the playable parts', { task: claim.task_id, error: errorText(error) });
      }
    }
  }
}
