with hours as (
    select hour from "amplitude"."calendar"
    union
    select hour from "amplitude"."loads"
),

events as (
    select
        landed_hour,
        count(*) as modelled,
        count(case when is_duplicate then 1 end) as duplicates,
        count(case when is_future then 1 end) as future,
        count(case when server_received_time > event_time + interval '24 hours' then 1 end) as late
    from "analytics"."fct_events"
    group by landed_hour
)

select
    hours.hour,
    calendar.state,
    calendar.seen_at,
    loads.events,
    coalesce(events.modelled, 0) as modelled,
    coalesce(events.duplicates, 0) as duplicates,
    coalesce(lines.malformed, 0) as malformed,
    coalesce(events.future, 0) as future,
    coalesce(events.late, 0) as late,
    loads.redacted
from hours
left join "amplitude"."calendar" as calendar on hours.hour = calendar.hour
left join "amplitude"."loads" as loads on hours.hour = loads.hour
left join events on hours.hour = events.landed_hour
left join "analytics"."int_amplitude__lines_by_hour" as lines on hours.hour = lines.landed_hour
