select
    owner,
    event_type,
    path,
    type,
    min(landed_hour) as first_hour,
    max(landed_hour) as last_hour,
    cast(sum(events) as bigint) as events
from "analytics"."int_amplitude__properties_by_hour"
group by
    owner,
    event_type,
    path,
    type
