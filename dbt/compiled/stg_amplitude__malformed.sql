with lines as (
    select
        events_raw.hour as landed_hour,
        events_raw.line as landed_line,
        loads.load_id,
        events_raw.event as line,
        case
            when left(ltrim(events_raw.event, ' ' || chr(9) || chr(13)), 1) <> '{' then null
            when json_valid(events_raw.event) then events_raw.event
            when json_valid(regexp_replace(
            events_raw.event,
            '(\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}',
            '\1',
            'g'
        )) then regexp_replace(
            events_raw.event,
            '(\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}',
            '\1',
            'g'
        )
        end as event
    from "amplitude"."events_raw" as events_raw
    inner join "amplitude"."loads" as loads on events_raw.hour = loads.hour
)

select
    landed_hour,
    landed_line,
    line
from lines
where event is null
