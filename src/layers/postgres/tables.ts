/** The schema of everything that a fleet shares. */
export const SCHEMA = "amplitude_lake"

/** Of the tables. A change that an older program cannot read gets a new one. */
export const VERSION = 1

/** Two processes may be the first at the same time. */
export const TABLES = `
select pg_advisory_xact_lock(hashtextextended('${SCHEMA}/tables', 0));
create schema if not exists ${SCHEMA};
create table if not exists ${SCHEMA}.version (number integer not null);
insert into ${SCHEMA}.version select ${VERSION} where not exists (select from ${SCHEMA}.version);
create table if not exists ${SCHEMA}.backfills (
  id bigint generated always as identity primary key,
  location text not null,
  source text not null,
  dates text not null,
  first text not null,
  last text not null,
  lanes integer not null,
  begun_at timestamptz not null default now(),
  stopped_at timestamptz,
  ended_at timestamptz
);
create unique index if not exists backfills_open on ${SCHEMA}.backfills (location, source, dates) where ended_at is null;
create table if not exists ${SCHEMA}.windows (
  backfill bigint not null references ${SCHEMA}.backfills on delete cascade,
  first text not null,
  last text not null,
  hours integer not null,
  state text not null default 'waiting' check (state in ('waiting', 'running', 'done')),
  lane integer,
  worker text,
  turn integer not null default 0,
  taken_at timestamptz,
  ended_at timestamptz,
  result jsonb,
  primary key (backfill, first)
);
create index if not exists windows_left on ${SCHEMA}.windows (backfill, first) where state <> 'done';
`

export const HAS_TABLES = `select to_regclass('${SCHEMA}.windows') is not null as there`

export const SUBMIT = `with it as (
  insert into ${SCHEMA}.backfills (location, source, dates, first, last, lanes)
  select $1, $2, $3, $4, $5, $6
  where cardinality($7::text[]) > 0
    or exists (select from ${SCHEMA}.backfills where location = $1 and source = $2 and dates = $3 and ended_at is null)
  on conflict (location, source, dates) where ended_at is null
  do update set stopped_at = null
  returning id, xmax = 0 as is_new
), cut as (
  insert into ${SCHEMA}.windows (backfill, first, last, hours)
  select id, w.first, w.last, w.hours from it, unnest($7::text[], $8::text[], $9::integer[]) as w (first, last, hours) where is_new
)
select id::text from it`

export const FIND = `select id::text from ${SCHEMA}.backfills where location = $1 and source = $2 and dates = $3
order by (ended_at is null) desc, id desc limit 1`

export const STANDING = `select b.first, b.last, b.stopped_at is not null as stopped,
  count(*)::integer as windows,
  count(*) filter (where state = 'running')::integer as running,
  count(*) filter (where state = 'done')::integer as done,
  sum(hours)::integer as hours,
  coalesce(sum(hours) filter (where state = 'done'), 0)::integer as hours_done,
  count(distinct worker) filter (where state = 'running')::integer as workers
from ${SCHEMA}.backfills b join ${SCHEMA}.windows w on w.backfill = b.id where b.id = $1 group by b.id`

export const RESULTS = `select result from ${SCHEMA}.windows where backfill = $1 and state = 'done' order by first`

export const STOP = `update ${SCHEMA}.backfills set stopped_at = coalesce(stopped_at, now()) where id = $1 and ended_at is null`

/** Whose worker died between the result of its last window and this. */
export const END = `update ${SCHEMA}.backfills b set ended_at = now() where ended_at is null
and not exists (select from ${SCHEMA}.windows w where w.backfill = b.id and w.state <> 'done')`

export const PURGE = `delete from ${SCHEMA}.backfills where ended_at < now() - make_interval(days => $1)`

/**
 * Lanes with something to do, in random order: of all windows that are waiting any, of those that are
 * running the one that it left behind. Whether somebody has a lane, only its lock tells.
 */
export const LANES = `select source, lane from (
  select distinct b.source, l.lane from ${SCHEMA}.backfills b cross join generate_series(1, b.lanes) as l (lane)
  where b.ended_at is null and b.stopped_at is null
    and (b.location, b.source) in (select * from unnest($1::text[], $2::text[]))
    and exists (select from ${SCHEMA}.windows w where w.backfill = b.id
      and (w.state = 'waiting' or (w.state = 'running' and w.lane = l.lane)))
) as lanes order by random() limit 64`

/** A lane of a project is a number that one session at a time can hold. It is free when the session ends. */
export const LOCK = `select pg_try_advisory_lock(hashtextextended('${SCHEMA}/' || $1 || '/' || $2::text, 0)) as is_held`
export const UNLOCK = `select pg_advisory_unlock(hashtextextended('${SCHEMA}/' || $1 || '/' || $2::text, 0))`

export const TAKE = `update ${SCHEMA}.windows as w
set state = 'running', lane = $2, worker = $3, turn = w.turn + 1, taken_at = now()
from (
  select w.backfill, w.first, b.location from ${SCHEMA}.windows w join ${SCHEMA}.backfills b on b.id = w.backfill
  where b.source = $1 and b.lanes >= $2 and b.ended_at is null and b.stopped_at is null
    and b.location = any ($4::text[])
    and (w.state = 'waiting' or (w.state = 'running' and w.lane = $2))
  order by (w.state = 'running') desc, w.backfill, w.first desc
  limit 1 for update of w skip locked
) as next
where w.backfill = next.backfill and w.first = next.first
returning w.backfill::text, w.first, w.last, w.turn, next.location`

/** Says nothing if somebody else has taken the window meanwhile. */
export const FINISH = `update ${SCHEMA}.windows set state = 'done', lane = null, ended_at = now(), result = $4::jsonb
where backfill = $1 and first = $2 and turn = $3 and state = 'running'`

export const GIVE_BACK = `update ${SCHEMA}.windows set state = 'waiting', lane = null, worker = null, turn = turn - 1
where backfill = $1 and first = $2 and turn = $3 and state = 'running'`
