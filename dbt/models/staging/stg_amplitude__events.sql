with lines as (
    {{ lines() }}
),

parsed as (
    {{ select_json_fields(
        '(select landed_hour, landed_line, load_id, event from lines where is_event) as events',
        'event',
        event_fields(),
        ['landed_hour', 'landed_line', 'load_id'],
    ) }}
)

select
    landed_hour,
    landed_line,
    load_id,
    event_uuid,
    insert_id,
    event_id,
    event_type,
    event_time,
    client_event_time,
    client_upload_time,
    server_received_time,
    server_upload_time,
    nullif(session_number, -1) as session_id,
    amplitude_id,
    user_id,
    device_id,
    project,
    platform,
    os_name,
    os_version,
    device_family,
    device_type,
    device_carrier,
    language,
    library,
    app_version,
    country,
    region,
    city,
    dma,
    ip_address,
    latitude,
    longitude,
    event_properties,
    user_properties,
    groups,
    page_url,
    page_path,
    page_location,
    page_domain,
    screen_name,
    previous_page_location,
    element_tag
from parsed
