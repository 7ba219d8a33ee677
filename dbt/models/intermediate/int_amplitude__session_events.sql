{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='session_key',
    on_schema_change='fail',
    post_hook=[
        '{{ delete_rows_of_vanished_loads() }}',
        "{{ delete_rows_without('landed_line') }}",
    ],
) }}

{%- set own_clicks = var('click_events') | map(attribute='event_type') | list %}

with
{%- if is_incremental() %}
touched as (
    {{ touched_sessions() }}
),
{% endif %}

events as (
    select
        session_key,
        landed_hour,
        landed_line,
        load_id,
        modelled_at,
        event_id,
        event_type,
        event_time,
        coalesce(client_event_time, event_time) as client_clock,
        site,
        page,
        case
            when event_type in ({{ text_list(var('page_view_events')) }}) then 'page view'
            when
                event_type in ({{ text_list(['[Amplitude] Element Clicked', '[Amplitude] Element Interacted'] + own_clicks) }})
                then 'click'
            when event_type = '[Amplitude] Rage Click' then 'sdk rage'
            when event_type = '[Amplitude] Dead Click' then 'sdk dead'
            else 'other'
        end as kind,
        element_tag,
        previous_site,
        previous_page
    from {{ ref('fct_events') }}
    where
        session_key is not null
        and not is_duplicate
        and coalesce(left(event_type, 1), '') <> '$'
        and coalesce(event_type, '') not in ('session_start', 'session_end')
        {%- if is_incremental() %}
        and session_key in (select session_key from touched)
        {%- endif %}
),

{#
    The SDK reports a click on an element that is no control once the page has changed, so it may come
    after the view that it caused.
#}
corrections as (
    select
        clicks.landed_hour,
        clicks.landed_line,
        max(views.client_clock) as view_clock
    from events as clicks
    inner join events as views
        on
            clicks.session_key = views.session_key
            and clicks.page = views.previous_page
            and coalesce(clicks.site, '') = coalesce(views.previous_site, '')
    where
        clicks.kind = 'click'
        and clicks.element_tag in ({{ text_list(var('action_click_tags')) }})
        and views.kind = 'page view'
        and views.client_clock <= clicks.client_clock
        and views.client_clock >= clicks.client_clock - interval '{{ var('action_click_ms') }} milliseconds'
    group by clicks.landed_hour, clicks.landed_line
),

clocked as (
    select
        events.*,
        coalesce(corrections.view_clock, events.client_clock) as at_clock
    from events
    left join corrections
        on events.landed_hour = corrections.landed_hour and events.landed_line = corrections.landed_line
),

ordered as (
    select
        *,
        row_number() over (
            partition by session_key
            order by
                at_clock nulls last,
                case when kind = 'click' then 0 else 1 end,
                event_id nulls last,
                landed_hour,
                landed_line
        ) as nth_event
    from clocked
),

followed as (
    select
        session_key,
        landed_hour,
        landed_line,
        load_id,
        event_type,
        kind,
        event_time,
        at_clock,
        nth_event,
        site,
        page,
        min(case when kind = 'page view' then at_clock end) over (
            partition by session_key
            order by nth_event desc
            rows between unbounded preceding and 1 preceding
        ) as next_view_clock,
        modelled_at as events_modelled_at,
        {{ utc_now() }} as session_modelled_at
    from ordered
)

{{ rows_of_touched_sessions('followed', [
    'landed_hour', 'landed_line', 'load_id', 'event_type', 'kind', 'event_time', 'at_clock', 'nth_event', 'site', 'page',
    'next_view_clock', 'events_modelled_at', 'session_modelled_at',
]) }}
