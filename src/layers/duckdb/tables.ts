import { referenceTables } from "../../services/Warehouse.ts"

/** The version of the tables below. A warehouse with another one is refused. */
export const SCHEMA_VERSION = 1

/**
 * The tables of lists that load from the store beside the hours. A warehouse of an earlier version
 * gets them when it is next opened to load.
 */
export const LIST_TABLES = `
create table if not exists amplitude.lists (
  date date not null,
  stream varchar not null,
  key varchar not null,
  entries bigint not null,
  sha256 varchar not null,
  loaded_at timestamp not null,
  primary key (date, stream)
);
${Object.values(referenceTables)
  .map(
    (table) => `create table if not exists amplitude.${table} (
  date date not null,
  number integer not null,
  entry varchar not null using compression zstd
);`
  )
  .join("\n")}
`

/**
 * The tables of a lake's warehouse. Text is kept by zstd; `row_group_size` of the attached file
 * keeps the memory of a load small.
 */
export const TABLES = `
create schema if not exists amplitude;
create table if not exists amplitude.about (name varchar primary key, value varchar not null);
create table if not exists amplitude.loads (
  hour timestamp primary key,
  key varchar not null,
  format varchar not null,
  events bigint not null,
  bytes bigint not null,
  malformed bigint not null,
  lineset varchar not null,
  stored_lineset varchar not null,
  sha256 varchar not null,
  etag varchar not null,
  project varchar,
  redacted bigint not null,
  landed_by varchar not null,
  load_id varchar not null,
  loaded_by varchar not null,
  loaded_at timestamp not null
);
create table if not exists amplitude.events_raw (
  hour timestamp not null,
  line integer not null,
  event varchar not null using compression zstd
);
create table if not exists amplitude.calendar (
  hour timestamp not null,
  state varchar not null,
  events bigint,
  seen_at timestamp not null
);
create table if not exists amplitude.ip_ranges (
  first_ip varchar not null,
  last_ip varchar not null,
  asn bigint,
  company varchar,
  kind varchar
);
${LIST_TABLES}insert or ignore into amplitude.about values ('schema', '${SCHEMA_VERSION}');
`
