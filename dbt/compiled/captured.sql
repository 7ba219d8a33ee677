select
    event_type,
    min(landed_hour) as first_hour,
    max(landed_hour) as last_hour,
    count(*) as events,
    count(distinct session_key) as sessions
from "analytics"."fct_events"
where not is_duplicate
group by event_type
