with views as (
    select
        session_key,
        landed_hour,
        landed_line,
        event_properties
    from "analytics"."fct_events"
    where
        session_key is not null
        and not is_duplicate
        and event_type in ('[Amplitude] Page Viewed', '[Amplitude] Screen Viewed')
),

parsed as (
    select
        session_key,
        landed_hour,
        landed_line,
        field[1] as title,
        field[2] as page_view_id,
        field[3] as page_location,
        field[4] as referring_domain,
        field[5] as utm_source,
        field[6] as utm_medium,
        field[7] as utm_campaign
    from (
        select
            session_key,
            landed_hour,
            landed_line,
            json_extract_string(event_properties, [
                '$."[Amplitude] Page Title"',
                '$."[Amplitude] Page View ID"',
                '$."[Amplitude] Page Location"',
                '$."referring_domain"',
                '$."utm_source"',
                '$."utm_medium"',
                '$."utm_campaign"'
            ]) as field
        from views
    ) as parsed
)

select
    session_key,
    landed_hour,
    landed_line,
    nullif(nullif(nullif(title, ''), 'EMPTY'), '*****') as title,
    page_view_id,
    nullif(nullif(nullif(referring_domain, ''), 'EMPTY'), '*****') as referring_domain,
    coalesce(
        nullif(nullif(nullif(utm_source, ''), 'EMPTY'), '*****'),
        nullif(nullif(nullif(nullif(regexp_extract(page_location, '^[^?#]*[?]([^#]*&)?utm_source=([^&#]*)', 2), ''), ''), 'EMPTY'), '*****')
    ) as utm_source,
    coalesce(
        nullif(nullif(nullif(utm_medium, ''), 'EMPTY'), '*****'),
        nullif(nullif(nullif(nullif(regexp_extract(page_location, '^[^?#]*[?]([^#]*&)?utm_medium=([^&#]*)', 2), ''), ''), 'EMPTY'), '*****')
    ) as utm_medium,
    coalesce(
        nullif(nullif(nullif(utm_campaign, ''), 'EMPTY'), '*****'),
        nullif(nullif(nullif(nullif(regexp_extract(page_location, '^[^?#]*[?]([^#]*&)?utm_campaign=([^&#]*)', 2), ''), ''), 'EMPTY'), '*****')
    ) as utm_campaign
from parsed
