with

events as (
    select
        landed_hour,
        load_id,
        modelled_at,
        event_type,
        event_properties,
        user_properties
    from "analytics"."fct_events"
    where
        not is_duplicate
),

properties as (
    select
        landed_hour,
        load_id,
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
        events,
        events_modelled_at
    from (
        select
            landed_hour,
            load_id,
            event_type,
            unnest(paths) as path,
            unnest(json_types) as json_type,
            events,
            events_modelled_at
        from (
            select
                landed_hour,
                load_id,
                event_type,
                json_keys(event_properties) as paths,
                json_type(event_properties, '$.*') as json_types,
                count(*) as events,
                max(modelled_at) as events_modelled_at
            from events
            group by landed_hour, load_id, event_type, json_keys(event_properties), json_type(event_properties, '$.*')
        ) as shapes
    ) as properties
    union all
    select
        landed_hour,
        load_id,
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
        events,
        events_modelled_at
    from (
        select
            landed_hour,
            load_id,
            event_type,
            unnest(paths) as path,
            unnest(json_types) as json_type,
            events,
            events_modelled_at
        from (
            select
                landed_hour,
                load_id,
                event_type,
                json_keys(user_properties) as paths,
                json_type(user_properties, '$.*') as json_types,
                count(*) as events,
                max(modelled_at) as events_modelled_at
            from events
            group by landed_hour, load_id, event_type, json_keys(user_properties), json_type(user_properties, '$.*')
        ) as shapes
    ) as properties
),

counted as (
    select
        landed_hour,
        load_id,
        owner,
        event_type,
        path,
        type,
        cast(sum(events) as bigint) as events,
        max(events_modelled_at) as events_modelled_at
    from properties
    group by
        landed_hour,
        load_id,
        owner,
        event_type,
        path,
        type
)

select * from counted
