"""The warehouse in the emulator of Snowflake, beside the one in a file of DuckDB.

emulated.py PORT fill WAREHOUSE                      makes the raw tables in Snowflake's shape, with what the file holds
emulated.py PORT differences WAREHOUSE TABLE...      prints the rows that only one of the two has, as a JSON list
"""

import json
import sys
from collections import Counter
from datetime import date
from decimal import Decimal

import duckdb
import snowflake.connector

# The columns of a list's entries.
ENTRIES = {
    "DATE": "DATE",
    "NUMBER": "NUMBER(10, 0)",
    "ENTRY": "VARIANT",
}
# As `load` makes them in Snowflake.
RAW_TABLES = {
    "EVENTS_RAW": {
        "HOUR": "TIMESTAMP_NTZ",
        "KEY": "VARCHAR",
        "LINE": "NUMBER(10, 0)",
        "EVENT": "VARIANT",
        "MALFORMED": "VARCHAR",
        "CONTENT_KEY": "VARCHAR",
        "LOADED_AT": "TIMESTAMP_NTZ",
    },
    "LOADS": {
        "HOUR": "TIMESTAMP_NTZ",
        "KEY": "VARCHAR",
        "FORMAT": "VARCHAR",
        "EVENTS": "NUMBER(38, 0)",
        "BYTES": "NUMBER(38, 0)",
        "MALFORMED": "NUMBER(38, 0)",
        "LINESET": "VARCHAR",
        "STORED_LINESET": "VARCHAR",
        "SHA256": "VARCHAR",
        "ETAG": "VARCHAR",
        "PROJECT": "VARCHAR",
        "REDACTED": "NUMBER(38, 0)",
        "LANDED_BY": "VARCHAR",
        "LOAD_ID": "VARCHAR",
        "LOADED_BY": "VARCHAR",
        "LOADED_AT": "TIMESTAMP_NTZ",
    },
    "CALENDAR": {
        "HOUR": "TIMESTAMP_NTZ",
        "STATE": "VARCHAR",
        "EVENTS": "NUMBER(38, 0)",
        "SEEN_AT": "TIMESTAMP_NTZ",
    },
    "LISTS": {
        "DATE": "DATE",
        "STREAM": "VARCHAR",
        "KEY": "VARCHAR",
        "ENTRIES": "NUMBER(38, 0)",
        "SHA256": "VARCHAR",
        "LOADED_AT": "TIMESTAMP_NTZ",
    },
    "EVENT_TYPES": ENTRIES,
    "COHORTS": ENTRIES,
    "ANNOTATIONS": ENTRIES,
    "IP_RANGES": {
        "FIRST_IP": "VARCHAR",
        "LAST_IP": "VARCHAR",
        "ASN": "NUMBER(38, 0)",
        "COMPANY": "VARCHAR",
        "KIND": "VARCHAR",
    },
}

# Like COPY, which has the text of a line that is no JSON in a column of its own.
LINES = """
    select
        hour::varchar, key, line, line_text, line_text, sha256, loaded_at::varchar
    from (select hour, line, event as line_text from amplitude.events_raw)
    inner join amplitude.loads using (hour)
"""
PARSED = {
    "EVENTS_RAW": {
        "EVENT": "try_parse_json({0})",
        "MALFORMED": "iff(try_parse_json({0}) is null, {0}, null)",
    },
    **dict.fromkeys(("EVENT_TYPES", "COHORTS", "ANNOTATIONS"), {"ENTRY": "parse_json({0})"}),
}

# When a row was made, and not what it is.
TIMES_OF_MODELLING = {"modelled_at", "events_modelled_at", "session_modelled_at"}


def fill(lake, emulator):
    for statement in ("database if not exists LAKE", "schema if not exists LAKE.AMPLITUDE"):
        emulator.execute(f"create {statement}")
    for table, columns in RAW_TABLES.items():
        typed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        emulator.execute(f"create or replace table LAKE.AMPLITUDE.{table} ({typed})")
        names = (f"{name}::varchar" if kind.startswith(("TIME", "DATE")) else name for name, kind in columns.items())
        lake.execute(LINES if table == "EVENTS_RAW" else f"select {', '.join(names)} from amplitude.{table}")
        parsed = PARSED.get(table, {})
        values = ", ".join(
            parsed.get(name, f"{{0}}::{kind}").format(f"row_of.value[{at}]::varchar")
            for at, (name, kind) in enumerate(columns.items())
        )
        rows = [[in_order_of_keys(value) if table == "EVENTS_RAW" else value for value in row] for row in lake.fetchall()]
        # One statement for all rows, as each takes its time.
        emulator.execute(
            f"insert into LAKE.AMPLITUDE.{table} select {values} from table(flatten(input => parse_json(%s))) as row_of",
            [json.dumps(rows)],
        )


def in_order_of_keys(value):
    """Snowflake keeps neither the order of keys in an object nor spaces; the emulator does."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.dumps(json.loads(value), sort_keys=True, separators=(",", ":"))
        except ValueError:
            return value
    return value


def differences(lake, emulator, *tables):
    found = []
    for table in tables:
        columns = columns_of(lake, table)
        in_lake, in_emulator = (rows_of(cursor, table, columns) for cursor in (lake, emulator))
        only = {"DuckDB": in_lake - in_emulator, "Snowflake": in_emulator - in_lake}
        found += [f"{table}: only in {name}: {row}" for name, rows in only.items() for row in rows.elements()]
    print(json.dumps(found))


def columns_of(lake, table):
    lake.execute(
        "select column_name, data_type from duckdb_columns() where schema_name = 'analytics' and table_name = ?", [table]
    )
    # As text, because the emulator sends 1970 for a time that is null.
    return {
        name: f"{name}::varchar" if kind == "TIMESTAMP" else name
        for name, kind in sorted(lake.fetchall())
        if name not in TIMES_OF_MODELLING
    }


def rows_of(cursor, table, columns):
    cursor.execute(f"select {', '.join(columns.values())} from analytics.{table}")
    return Counter(
        json.dumps(dict(zip(columns, map(plain, row))), sort_keys=True, ensure_ascii=False) for row in cursor.fetchall()
    )


def plain(value):
    """The same for both: a number whatever its type, JSON whatever the order of its keys."""
    if isinstance(value, (float, Decimal)):
        return int(value) if value == int(value) else float(f"{value:.12g}")
    if isinstance(value, date):
        return str(value)
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def main(port, command, warehouse, *tables):
    connection = snowflake.connector.connect(
        user="fake",
        password="snow",
        account="fakesnow",
        host="localhost",
        port=int(port),
        protocol="http",
        database="LAKE",
        network_timeout=60,
    )
    lake = duckdb.connect(warehouse, read_only=True)
    {"fill": fill, "differences": differences}[command](lake, connection.cursor(), *tables)


main(*sys.argv[1:])
