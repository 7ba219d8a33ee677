with lines as (
    {{ lines() }}
)

select
    landed_hour,
    landed_line,
    line
from lines
where not is_event
