{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='session_key',
    on_schema_change='fail',
    post_hook="{{ delete_rows_without('events') }}",
) }}

with
{%- if is_incremental() %}
touched as (
    {{ touched_sessions(has_row_per_event=false) }}
),
{% endif %}

events as (
    select
        ordered.session_key,
        ordered.nth_event,
        ordered.at_clock,
        ordered.event_time,
        ordered.kind,
        ordered.landed_hour,
        ordered.events_modelled_at,
        ordered.site,
        ordered.page,
        facts.device_id,
        facts.session_id,
        facts.amplitude_id,
        facts.user_id,
        facts.location_key,
        facts.device_key,
        facts.ip_address
    from {{ rows_to_read(ref('int_amplitude__session_events')) }} as ordered
    inner join {{ rows_to_read(ref('fct_events')) }} as facts
        on
            ordered.session_key = facts.session_key
            and ordered.landed_hour = facts.landed_hour
            and ordered.landed_line = facts.landed_line
),

{# Windows, and no `group by`: DuckDB keeps the texts of all groups in memory, and sorts on disk. #}
counted as (
    select
        session_key,
        max(device_id) {{ over_session() }} as device_id,
        max(session_id) {{ over_session() }} as session_id,
        {{ last_of_session('amplitude_id') }} as amplitude_id,
        {{ last_of_session('user_id') }} as user_id,
        {{ first_of_session('location_key') }} as location_key,
        {{ first_of_session('device_key') }} as device_key,
        {{ first_of_session('ip_address') }} as ip_address,
        {{ first_of_session('event_time') }} as started_at,
        {{ last_of_session('event_time') }} as ended_at,
        {{ first_of_session('at_clock') }} as first_clock,
        {{ last_of_session('at_clock') }} as last_clock,
        count(*) {{ over_session() }} as events,
        {{ count_where("kind = 'page view'") }} {{ over_session() }} as page_views,
        {{ count_where("kind = 'click'") }} {{ over_session() }} as clicks,
        {{ first_of_session("case when kind = 'click' then site end") }} as click_site,
        {# The last view may have no page. #}
        {{ last_of_session("case when kind = 'page view' then coalesce(page, chr(31)) end") }} as exit_page,
        min(landed_hour) {{ over_session() }} as first_landed_hour,
        max(landed_hour) {{ over_session() }} as last_landed_hour,
        max(events_modelled_at) {{ over_session() }} as events_modelled_at
    from events
    qualify row_number() over (partition by session_key order by nth_event) = 1
),

loads_of_events as (
    select
        session_key,
        load_id
    from {{ rows_to_read(ref('int_amplitude__session_events')) }} as loaded
    group by session_key, load_id
),

loads as (
    select
        session_key,
        {{ list_of_loads('load_id') }} as load_ids
    from loads_of_events
    group by session_key
),

entries as (
    select
        session_key,
        site,
        page,
        referring_domain,
        utm_source,
        utm_medium,
        utm_campaign
    from {{ rows_to_read(ref('fct_page_views')) }} as page_views
    where nth = 1
),

described as (
    select
        counted.session_key,
        counted.device_id,
        counted.session_id,
        counted.amplitude_id,
        counted.user_id,
        counted.started_at,
        counted.ended_at,
        {{ seconds_between('counted.first_clock', 'counted.last_clock') }} as seconds,
        counted.events,
        counted.page_views,
        counted.clicks,
        coalesce(entries.site, counted.click_site) as site,
        entries.page as entry_page,
        nullif(counted.exit_page, chr(31)) as exit_page,
        counted.page_views = 1 as is_bounce,
        counted.clicks > 0 as has_click,
        entries.referring_domain,
        entries.utm_source,
        entries.utm_medium,
        entries.utm_campaign,
        counted.location_key,
        counted.device_key,
        counted.ip_address,
        counted.first_landed_hour,
        counted.last_landed_hour,
        loads.load_ids,
        counted.events_modelled_at
    from counted
    inner join loads on counted.session_key = loads.session_key
    left join entries on counted.session_key = entries.session_key
)

{{ rows_of_touched_sessions('described', [
    'device_id', 'session_id', 'amplitude_id', 'user_id', 'started_at', 'ended_at', 'seconds', 'events', 'page_views',
    'clicks', 'site', 'entry_page', 'exit_page', 'is_bounce', 'has_click', 'referring_domain', 'utm_source', 'utm_medium',
    'utm_campaign', 'location_key', 'device_key', 'ip_address', 'first_landed_hour', 'last_landed_hour', 'load_ids',
    'events_modelled_at',
]) }}
