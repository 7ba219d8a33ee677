-- The tables of sessions, page views and clicks are made of the same events.
with found as (
    select
        (select count(*) from {{ ref('int_amplitude__session_events') }}) as events,
        (select coalesce(sum(events), 0) from {{ ref('fct_sessions') }}) as events_of_sessions,
        (select count(*) from {{ ref('fct_page_views') }}) as page_views,
        (select coalesce(sum(page_views), 0) from {{ ref('fct_sessions') }}) as page_views_of_sessions,
        (select count(*) from {{ ref('fct_clicks') }} where source = 'element') as clicks,
        (select coalesce(sum(clicks), 0) from {{ ref('fct_sessions') }}) as clicks_of_sessions
)

select *
from found
where
    events <> events_of_sessions
    or page_views <> page_views_of_sessions
    or clicks <> clicks_of_sessions
