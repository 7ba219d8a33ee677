with clicks as (
    select
        session_key,
        nth_event,
        at_clock,
        site,
        page,
        coalesce(page_view_id, coalesce(site, '') || chr(31) || coalesce(page, '')) as place,
        element,
        burst,
        lag(at_clock, 2) over (partition by session_key, coalesce(page_view_id, coalesce(site, '') || chr(31) || coalesce(page, '')), element, burst order by nth_event) as two_before,
        lag(at_clock, 3) over (partition by session_key, coalesce(page_view_id, coalesce(site, '') || chr(31) || coalesce(page, '')), element, burst order by nth_event) as three_before
    from "analytics"."fct_clicks"
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
    max(case when cast(datediff('microsecond', two_before, at_clock) as double) / 1000000 <= 1.0 then 1 else 0 end) = 1 as is_rage_3,
    max(case when cast(datediff('microsecond', three_before, at_clock) as double) / 1000000 < 1.0 then 1 else 0 end) = 1 as is_rage_4
from clicks
group by
    session_key,
    place,
    element,
    burst
