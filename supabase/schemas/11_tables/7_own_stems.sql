-- Stems of one's own: the files that a user gave with a song. Kept beside the jobs, because their paths would not fit into a row of a job.

create table mashup.own_stems (
  id         bigint generated always as identity primary key,
  user_id    uuid not null,
  files      jsonb not null check (jsonb_typeof(files) = 'object' and octet_length(files::text) <= 2000),
  has_song   boolean not null,
  created_at timestamptz not null default mashup.now()
);
revoke all on mashup.own_stems from public, anon, authenticated, service_role;
grant select on mashup.own_stems to mashup_worker;
comment on table mashup.own_stems is 'Stems that users gave with a song. The card of the song has the id as own_stems_id.';
comment on column mashup.own_stems.files is 'By stem (vocals, drums, bass, other, instrumental): its path in bucket mashups, below the uploads of the user.';
comment on column mashup.own_stems.has_song is 'Whether the song was given as well. If not, it is the sum of the stems.';
create index own_stems_by_user on mashup.own_stems (user_id);
create index own_stems_by_age on mashup.own_stems (created_at);
