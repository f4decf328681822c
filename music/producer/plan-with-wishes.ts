/** The first plan of a mashup with the wishes of its user, and the next plan with feedback, both by rules. */
import type { Plan, PlanLimits, SongRoles, Wish } from '../../schema.ts';
import { limitsForLengths } from '../plan/limits.ts';
import { soundOf } from '../plan/sound-of.ts';
import { applyWishes, type Applied } from '../revision/apply-wishes.ts';
import { revisePlan, type Revision } from '../revision/revise.ts';
import { lengthOf, mainSong } from '../revision/plan-edits.ts';
import { describePlan } from '../texts/describe-plan.ts';
import { singsAtAll, usableStems } from '../theory/content.ts';
import { chooseParts } from '../theory/parts.ts';
import { readWishes } from '../wishes/read-wishes.ts';
import { wishesOfRoles } from '../wishes/role-wishes.ts';
import { wishSongs } from '../wishes/wish-songs.ts';
import { producePlan, type ProducerRequest } from './producer.ts';
import type { WantedRoles } from './roles.ts';

/**
 * `roles`: who sings and who plays, for a first plan. `previous` and `feedback`: the plan to revise, and what its user says about
 * it.
 */
export type PlanningRequest = Omit<ProducerRequest, 'roles'> & {
  roles?: SongRoles | undefined;
  wishes?: string | undefined;
  previous?: Plan | undefined;
  feedback?: string | undefined;
};

/** Seeds of other arrangements lie this far from the seed of the plan. */
const NEXT_SEED = 7_919;
const OTHER_SEEDS = 3;
/** Length of another arrangement if nothing else differs, as a share. */
const SHORTER = 0.8;

/** Makes a plan and applies the wishes, or revises the previous plan by the feedback. */
export function planWithWishes(request: PlanningRequest): Revision {
  const { previous, feedback, songs } = request;
  const reading = readWishes(wishTextOf(request), wishSongs(songs));
  const limits = limitsOf(request, reading.understood);
  const within = { ...request, limits };
  const told = (revision: Revision): Revision => ({ ...revision, plan: tell(request, revision.plan) });
  if (previous && feedback)
    return told(revisePlan({ plan: previous, feedback, songs, limits, remake: () => remake(within, previous) }));
  return told({ ...reading, ...firstPlan(within, [...wishesOfRoles(request.roles), ...reading.understood]) });
}

/** Returns the text that a plan follows: the feedback on an earlier plan, otherwise the wishes. */
export function wishTextOf({
  previous,
  feedback,
  wishes,
}: Pick<PlanningRequest, 'previous' | 'feedback' | 'wishes'>): string {
  return previous && feedback ? feedback : [wishes, feedback].filter(Boolean).join('\n');
}

/** Returns the limits of a plan: it may be shorter than others if it is asked for, or if the plan that it revises is. */
export function limitsOf(
  { limits, length_sec, previous }: Pick<PlanningRequest, 'limits' | 'length_sec' | 'previous'>,
  wishes: readonly Wish[],
): PlanLimits {
  return limitsForLengths(limits, [
    length_sec,
    previous && lengthOf(previous.masterplan.timeline),
    ...wishes.map((wish) => (wish.kind === 'length_exact' || wish.kind === 'length_limit' ? wish.sec : undefined)),
  ]);
}

/** Makes the texts of a plan that was changed. */
const tell = ({ songs, scores, seed }: PlanningRequest, plan: Plan): Plan =>
  describePlan(plan, { songs, scores, wording: seed });

/**
 * Another plan for the same songs: of another seed, with exchanged roles, or of another length. The first that differs from the
 * previous one is used.
 */
function remake(request: PlanningRequest, previous: Plan): Plan {
  const [lead, groove] = [mainSong(previous, 'vocals'), mainSong(previous, 'drums')];
  const isSung = request.songs.some((song) => song.song_id === groove && singsAtAll(song));
  const length_sec = lengthOf(previous.masterplan.timeline) * SHORTER;
  const changes: Partial<ProducerRequest>[] = [
    ...Array.from({ length: OTHER_SEEDS }, (_, i) => ({ seed: request.seed + (i + 1) * NEXT_SEED })),
    ...(isSung && lead !== undefined && groove !== undefined ? [{ roles: { lead: groove, groove: lead } }] : []),
    { length_sec },
  ];
  const sound = soundOf(previous);
  const { roles: _, ...material } = request;
  for (const change of changes) {
    const plan = producePlan({ ...material, ...change });
    if (soundOf(plan) !== sound) return plan;
  }
  return previous;
}

function firstPlan(request: PlanningRequest, understood: readonly Wish[]): Applied {
  const length = understood.find((wish) => wish.kind === 'length_exact');
  const plan = producePlan({
    ...request,
    roles: rolesOf(understood, request),
    ...(length ? { length_sec: length.sec } : {}),
  });
  // Any plan is a new one here.
  const wishes = understood.filter(({ kind }) => kind !== 'again');
  return applyWishes(plan, wishes, { songs: chooseParts(request.songs), limits: request.limits });
}

/** The lead and the groove that the wishes ask for, where these songs can be that. */
function rolesOf(wishes: readonly Wish[], { songs }: PlanningRequest): WantedRoles {
  const roles: WantedRoles = {};
  for (const wish of wishes) {
    if (wish.kind !== 'source') continue;
    const song = songs.find(({ song_id }) => song_id === wish.song_id);
    if (!song) continue;
    if (wish.stem === 'vocals' && singsAtAll(song)) roles.lead ??= wish.song_id;
    if (wish.stem === 'drums' && usableStems(song).includes('drums')) roles.groove ??= wish.song_id;
  }
  return roles;
}
