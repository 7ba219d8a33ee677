{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='landed_hour',
    on_schema_change='fail',
    post_hook=[
        '{{ delete_rows_of_vanished_loads() }}',
        "{{ delete_rows_without('load_id') }}",
    ],
) }}

with
{%- if is_incremental() %}
touched as (
    {{ touched_hours() }}
),
{% endif %}

events as (
    select
        landed_hour,
        load_id,
        modelled_at,
        event_type,
        event_properties,
        user_properties
    from {{ ref('fct_events') }}
    where
        not is_duplicate
        {%- if is_incremental() %}
        and landed_hour in (select landed_hour from touched)
        {%- endif %}
),

properties as (
    {{ select_properties('events', 'event', 'event_properties') }}
    union all
    {{ select_properties('events', 'user', 'user_properties') }}
),

counted as (
    select
        landed_hour,
        load_id,
        owner,
        event_type,
        path,
        type,
        cast(sum(events) as bigint) as events,
        max(events_modelled_at) as events_modelled_at
    from properties
    group by
        landed_hour,
        load_id,
        owner,
        event_type,
        path,
        type
)

{% if is_incremental() -%}
{# A touched hour without properties comes as a row without a path, so that its earlier rows go. #}
select
    touched.landed_hour,
    counted.load_id,
    counted.owner,
    counted.event_type,
    counted.path,
    counted.type,
    counted.events,
    counted.events_modelled_at
from touched
left join counted on touched.landed_hour = counted.landed_hour
{%- else -%}
select * from counted
{%- endif %}
