with fresh as (
    select landed_hour, landed_line, event_uuid, insert_key, server_received_time
    from "analytics"."int_amplitude__events_placed"

),

compared as (
    select landed_hour, landed_line, event_uuid, insert_key, server_received_time from fresh
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
),

flags as (
    select
        landed_hour,
        landed_line,
        (event_uuid is not null and nth_of_uuid > 1)
        or coalesce(
            insert_key is not null
            and server_received_time <= received_before + interval '168 hours',
            false
        ) as is_duplicate
    from neighbours
),

written as (
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
        previous_page
    from "analytics"."int_amplitude__events_placed"
)

select
    written.landed_hour,
    written.landed_line,
    written.load_id,
    written.event_uuid,
    written.insert_id,
    written.event_id,
    written.event_type,
    written.event_time,
    written.client_event_time,
    written.client_upload_time,
    written.server_received_time,
    written.server_upload_time,
    written.session_id,
    written.amplitude_id,
    written.user_id,
    written.device_id,
    written.project,
    written.platform,
    written.os_name,
    written.os_version,
    written.device_family,
    written.device_type,
    written.device_carrier,
    written.language,
    written.library,
    written.app_version,
    written.country,
    written.region,
    written.city,
    written.dma,
    written.ip_address,
    written.latitude,
    written.longitude,
    written.event_properties,
    written.user_properties,
    written.groups,
    written.is_future,
    written.session_key,
    written.location_key,
    written.device_key,
    written.site,
    written.page,
    written.insert_key,
    written.element_tag,
    written.previous_site,
    written.previous_page,
    flags.is_duplicate,
    make_timestamp(epoch_us(current_timestamp)) as modelled_at
from written
inner join flags on written.landed_hour = flags.landed_hour and written.landed_line = flags.landed_line
