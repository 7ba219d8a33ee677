with events as (
    select
        event_type,
        landed_hour,
        event_properties,
        user_properties
    from "analytics"."fct_events"
    where not is_duplicate
),

properties as (
    select
        'event' as owner,
        event_type,
        path,
        case json_type
            when 'VARCHAR' then 'text'
            when 'BOOLEAN' then 'boolean'
            when 'OBJECT' then 'object'
            when 'ARRAY' then 'array'
            when 'NULL' then 'null'
            else 'number'
        end as type,
        first_hour,
        last_hour,
        events
    from (
        select
            event_type,
            unnest(paths) as path,
            unnest(json_types) as json_type,
            first_hour,
            last_hour,
            events
        from (
            select
                event_type,
                json_keys(event_properties) as paths,
                json_type(event_properties, '$.*') as json_types,
                min(landed_hour) as first_hour,
                max(landed_hour) as last_hour,
                count(*) as events
            from events
            group by event_type, json_keys(event_properties), json_type(event_properties, '$.*')
        ) as shapes
    ) as properties
    union all
    select
        'user' as owner,
        event_type,
        path,
        case json_type
            when 'VARCHAR' then 'text'
            when 'BOOLEAN' then 'boolean'
            when 'OBJECT' then 'object'
            when 'ARRAY' then 'array'
            when 'NULL' then 'null'
            else 'number'
        end as type,
        first_hour,
        last_hour,
        events
    from (
        select
            event_type,
            unnest(paths) as path,
            unnest(json_types) as json_type,
            first_hour,
            last_hour,
            events
        from (
            select
                event_type,
                json_keys(user_properties) as paths,
                json_type(user_properties, '$.*') as json_types,
                min(landed_hour) as first_hour,
                max(landed_hour) as last_hour,
                count(*) as events
            from events
            group by event_type, json_keys(user_properties), json_type(user_properties, '$.*')
        ) as shapes
    ) as properties
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
