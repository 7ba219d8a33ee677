{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['landed_hour', 'landed_line'],
    on_schema_change='fail',
    post_hook='{{ delete_rows_of_vanished_loads() }}',
) }}

{%- set columns = event_columns() %}

{#
    Rows are compared by these columns alone, and the whole rows joined afterwards: sorting them with their
    JSON would take twice as long, and lose the order of hours in which a table is read quickest.
#}
{%- set compared_columns = ['landed_hour', 'landed_line', 'event_uuid', 'insert_key', 'server_received_time'] %}

with fresh as (
    select {{ compared_columns | join(', ') }}
    from {{ ref('int_amplitude__events_placed') }}
    {% if is_incremental() %}
    where landed_hour in ({{ hours_not_modelled() }})
    {% endif %}
),

{% if is_incremental() %}
{# Rows that came or went. #}
touched as (
    select event_uuid, insert_key from fresh
    union all
    select event_uuid, insert_key from {{ this }} where load_id not in ({{ present_loads() }})
),

{# Rows whose flag may change: they share a key with one of these. #}
near as (
    select
        landed_hour,
        landed_line,
        event_uuid,
        insert_key
    from {{ this }}
    where
        load_id in ({{ present_loads() }})
        and (
            event_uuid in (select event_uuid from touched where event_uuid is not null)
            or insert_key in (select insert_key from touched where insert_key is not null)
        )
),

{# Those, and the rows that they are compared with. #}
around as (
    select {{ compared_columns | join(', ') }}
    from {{ this }}
    where
        load_id in ({{ present_loads() }})
        and (
            event_uuid in (select event_uuid from near where event_uuid is not null)
            or insert_key in (select insert_key from near where insert_key is not null)
        )
),

{% endif %}
compared as (
    select {{ compared_columns | join(', ') }} from fresh
    {%- if is_incremental() %}
    union all
    select {{ compared_columns | join(', ') }} from around
    {%- endif %}
),

neighbours as (
    select
        *,
        row_number() over (
            partition by event_uuid
            order by server_received_time nulls last, landed_hour, landed_line
        ) as nth_of_uuid,
        lag(server_received_time) over (
            partition by insert_key
            order by server_received_time nulls last, landed_hour, landed_line
        ) as received_before
    from compared
),

flags as (
    select
        landed_hour,
        landed_line,
        (event_uuid is not null and nth_of_uuid > 1)
        or coalesce(
            insert_key is not null
            and server_received_time <= received_before + interval '{{ var('duplicate_hours') }} hours',
            false
        ) as is_duplicate
    from neighbours
),

written as (
    select
        {{ columns | join(',\n        ') }}
    from {{ ref('int_amplitude__events_placed') }}
    {%- if is_incremental() %}
    where landed_hour in ({{ hours_not_modelled() }})
    union all
    select
        {% for column in columns -%}
        events.{{ column }}{{ ',' if not loop.last }}
        {% endfor -%}
    from {{ this }} as events
    inner join near on events.landed_hour = near.landed_hour and events.landed_line = near.landed_line
    {%- endif %}
)

select
    {% for column in columns -%}
    written.{{ column }},
    {% endfor -%}
    flags.is_duplicate,
    {{ utc_now() }} as modelled_at
from written
inner join flags on written.landed_hour = flags.landed_hour and written.landed_line = flags.landed_line
