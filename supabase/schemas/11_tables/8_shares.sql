-- Public links of mashups, and how often they are read.

create table mashup.mashup_shares (
  token         text primary key check (token ~ '^[A-Za-z0-9_-]{24}$'),
  job_id        uuid not null references public.mashup_jobs (id) on delete cascade,
  created_at    timestamptz not null default mashup.now(),
  revoked_at    timestamptz,
  taken_down_at timestamptz,
  reason        text check (length(reason) between 1 and 300),
  actor         text,
  check (revoked_at is null or taken_down_at is null)
);
alter table mashup.mashup_shares enable row level security;
revoke all on mashup.mashup_shares from public, anon, authenticated, service_role;
alter table mashup.mashup_shares set schema public;
create policy "shares of own jobs" on public.mashup_shares for select to authenticated
  using (exists (select from public.mashup_jobs j where j.id = job_id and j.user_id = (select auth.uid())));
grant select (token, job_id, created_at, revoked_at, taken_down_at, reason) on public.mashup_shares to authenticated;
grant select on public.mashup_shares to service_role;
-- Of a job there is at most one link that is neither revoked nor forgotten, and at most one revoked one.
create unique index mashup_shares_current on public.mashup_shares (job_id) where revoked_at is null;
create unique index mashup_shares_revoked on public.mashup_shares (job_id) where revoked_at is not null;
comment on table public.mashup_shares is
  'The public link of a mashup: whoever has its token may read and hear the mashup, without an account. A live link is neither revoked nor taken down. The last revoked one is kept.';
comment on column public.mashup_shares.token is 'The secret of the link: 144 random bits, base64url.';
comment on column public.mashup_shares.revoked_at is 'When its owner ended the link.';
comment on column public.mashup_shares.taken_down_at is 'When an operator ended the link. The mashup cannot be shared until that is lifted.';
comment on column public.mashup_shares.reason is 'Why an operator ended the link, as its owner reads it.';
comment on column public.mashup_shares.actor is 'Who ended the link: user:…, role:… or sql:…. For operators only.';

-- Unlogged: the counts of a minute are worth nothing after a crash.
create unlogged table mashup.share_counts (
  counter text primary key,
  since   timestamptz not null,
  calls   integer not null
) with (fillfactor = 50);
revoke all on mashup.share_counts from public, anon, authenticated, service_role;
comment on table mashup.share_counts is
  'Requests for public links in the minute that began at since. At most one row for each live link and 4,098 others, and no row is older than some minutes.';
comment on column mashup.share_counts.counter is
  'all; link and its token; unknown: all tokens without a mashup; client and the number of a group of addresses, 0 to 4095, which changes every day.';

create unlogged table mashup.share_salt (
  only_row boolean primary key default true check (only_row),
  day      date not null,
  salt     uuid not null
);
revoke all on mashup.share_salt from public, anon, authenticated, service_role;
comment on table mashup.share_salt is 'What addresses are hashed with on a day (UTC). Its loss makes their groups meaningless.';
