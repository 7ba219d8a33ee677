with events as (
    select
        event_type,
        landed_hour,
        event_properties,
        user_properties
    from {{ ref('fct_events') }}
    where not is_duplicate
),

properties as (
    {{ select_properties('events', 'event', 'event_properties') }}
    union all
    {{ select_properties('events', 'user', 'user_properties') }}
)

select
    owner,
    event_type,
    path,
    type,
    min(first_hour) as first_hour,
    max(last_hour) as last_hour,
    cast(sum(events) as bigint) as events
from properties
group by
    owner,
    event_type,
    path,
    type
