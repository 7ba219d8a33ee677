with events as (
    select
        ordered.session_key,
        ordered.landed_hour,
        ordered.nth_event,
        ordered.at_clock,
        ordered.event_type,
        ordered.kind,
        ordered.page,
        facts.event_properties
    from "analytics"."int_amplitude__session_events" as ordered
    inner join "analytics"."fct_events" as facts
        on
            ordered.session_key = facts.session_key
            and ordered.landed_hour = facts.landed_hour
            and ordered.landed_line = facts.landed_line
    where
        ordered.kind = 'page view'
        or ordered.event_type in ('[Amplitude] Form Submitted', 'Search')
),

parsed as (
    select
        session_key,
        landed_hour,
        nth_event,
        at_clock,
        event_type,
        kind,
        page,
        field[1] as form_id,
        field[2] as form_name,
        field[3] as form_destination,
        field[4] as page_location
    from (
        select
            session_key,
            landed_hour,
            nth_event,
            at_clock,
            event_type,
            kind,
            page,
            json_extract_string(event_properties, [
                '$."[Amplitude] Form ID"',
                '$."[Amplitude] Form Name"',
                '$."[Amplitude] Form Destination"',
                '$."[Amplitude] Page Location"'
            ]) as field
        from events
    ) as parsed
)

select
    session_key,
    landed_hour,
    nth_event,
    at_clock,
    kind = 'page view' as is_page_view
from parsed
where
    event_type in ('Search')
    or (
        event_type = '[Amplitude] Form Submitted'
        and regexp_matches(coalesce(form_id, '') || ' ' || coalesce(form_name, '') || ' ' || coalesce(case
        when form_destination is not null
            then coalesce(nullif(regexp_extract(form_destination, '^([a-z][a-z0-9+.-]*://[^/?#]*)?([^?#]*)', 2, 'i'), ''), '/')
    end, ''), '(^|[^a-z0-9])(search)([^a-z0-9]|$)', 'i')
    )
    or (
        kind = 'page view'
        and (
            regexp_matches(page_location, '^[^?#]*[?]([^#]*&)?(q|query|s|search)([=&#]|$)')
            or regexp_matches(page, '/search([/#]|$)')
        )
    )
