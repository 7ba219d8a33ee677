with hours as (
    select hour from {{ source('amplitude', 'calendar') }}
    union
    select hour from {{ source('amplitude', 'loads') }}
),

events as (
    select
        landed_hour,
        count(*) as modelled,
        {{ count_where('is_duplicate') }} as duplicates,
        {{ count_where('is_future') }} as future,
        {{ count_where("server_received_time > event_time + interval '" ~ var('late_hours') ~ " hours'") }} as late
    from {{ ref('fct_events') }}
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
left join {{ source('amplitude', 'calendar') }} as calendar on hours.hour = calendar.hour
left join {{ source('amplitude', 'loads') }} as loads on hours.hour = loads.hour
left join events on hours.hour = events.landed_hour
left join {{ ref('int_amplitude__lines_by_hour') }} as lines on hours.hour = lines.landed_hour
