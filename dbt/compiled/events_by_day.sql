select
    cast(event_time as date) as day,
    event_type,
    count(*) as events,
    count(distinct session_key) as sessions
from "analytics"."fct_events"
where not is_duplicate
group by cast(event_time as date), event_type
