{%- set place = "coalesce(page_view_id, coalesce(site, '') || chr(31) || coalesce(page, ''))" -%}

with clicks as (
    select
        session_key,
        nth_event,
        at_clock,
        site,
        page,
        {{ place }} as place,
        element,
        burst,
        lag(at_clock, 2) over (partition by session_key, {{ place }}, element, burst order by nth_event) as two_before,
        lag(at_clock, 3) over (partition by session_key, {{ place }}, element, burst order by nth_event) as three_before
    from {{ ref('fct_clicks') }}
    where burst is not null and not is_text_field
)

select
    session_key,
    place,
    element,
    burst,
    min_by(site, nth_event) as site,
    min_by(page, nth_event) as page,
    count(*) as clicks,
    {{ any_row(seconds_between('two_before', 'at_clock') ~ ' <= ' ~ var('rage_3_ms') / 1000) }} as is_rage_3,
    {{ any_row(seconds_between('three_before', 'at_clock') ~ ' < ' ~ var('rage_4_ms') / 1000) }} as is_rage_4
from clicks
group by
    session_key,
    place,
    element,
    burst
