{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['landed_hour', 'landed_line'],
    on_schema_change='fail',
    post_hook='{{ delete_rows_of_vanished_loads() }}',
) }}

{%- set columns = event_columns() %}

with fresh as (
    select *
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

{# Rows that those are compared with. #}
around as (
    select
        landed_hour,
        landed_line
    from {{ this }}
    where
        load_id in ({{ present_loads() }})
        and (
            event_uuid in (select event_uuid from near where event_uuid is not null)
            or insert_key in (select insert_key from near where insert_key is not null)
        )
    union
    select
        landed_hour,
        landed_line
    from near
),

compared as (
    select
        {{ columns | join(',\n        ') }},
        true as is_written
    from fresh
    union all
    select
        {% for column in columns -%}
        events.{{ column }},
        {% endfor -%}
        near.landed_line is not null as is_written
    from {{ this }} as events
    inner join around on events.landed_hour = around.landed_hour and events.landed_line = around.landed_line
    left join near on events.landed_hour = near.landed_hour and events.landed_line = near.landed_line
),
{% else %}
compared as (
    select
        {{ columns | join(',\n        ') }},
        true as is_written
    from fresh
),
{% endif %}

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
)

select
    {{ columns | join(',\n    ') }},
    (event_uuid is not null and nth_of_uuid > 1)
    or coalesce(
        insert_key is not null
        and server_received_time <= received_before + interval '{{ var('duplicate_hours') }} hours',
        false
    ) as is_duplicate,
    {{ utc_now() }} as modelled_at
from neighbours
where is_written
