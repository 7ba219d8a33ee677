with fresh as (
    select *
    from "analytics"."int_amplitude__events_placed"

),

compared as (
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
        session_id,
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
        is_future,
        session_key,
        location_key,
        device_key,
        site,
        page,
        insert_key,
        element_tag,
        previous_site,
        previous_page,
        true as is_written
    from fresh
),

neighbours as (
    select
        *,
        row_number() over (
            partition by event_uuid
            order by server_received_time nulls last, landed_hour, landed_line
        ) as nth_of_uuid,
        lag(server_received_time) over (
            partition by insert_key
            order by server_received_time nulls last, landed_hour, landed_line
        ) as received_before
    from compared
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
    session_id,
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
    is_future,
    session_key,
    location_key,
    device_key,
    site,
    page,
    insert_key,
    element_tag,
    previous_site,
    previous_page,
    (event_uuid is not null and nth_of_uuid > 1)
    or coalesce(
        insert_key is not null
        and server_received_time <= received_before + interval '168 hours',
        false
    ) as is_duplicate,
    make_timestamp(epoch_us(current_timestamp)) as modelled_at
from neighbours
where is_written
