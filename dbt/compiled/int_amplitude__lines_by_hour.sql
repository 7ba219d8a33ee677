with lines as (
    select
        landed_hour,
        landed_line,
        load_id,
        line,
        event,
        left(ltrim(line, ' ' || chr(9) || chr(13)), 1) = '{' and json_valid(event) as is_event
    from (
        select
            events_raw.hour as landed_hour,
            events_raw.line as landed_line,
            loads.load_id,
            events_raw.event as line,
            case
                when
                    (contains(events_raw.event, '\ud') or contains(events_raw.event, '\uD'))
                    and not json_valid(events_raw.event)
                    then regexp_replace(
                        events_raw.event,
                        '(\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}',
                        '\1',
                        'g'
                    )
                else events_raw.event
            end as event
        from "amplitude"."events_raw" as events_raw
        inner join "amplitude"."loads" as loads on events_raw.hour = loads.hour
    ) as repaired
)

select
    landed_hour,
    load_id,
    count(*) as lines,
    count(case when not is_event then 1 end) as malformed
from lines
group by landed_hour, load_id
