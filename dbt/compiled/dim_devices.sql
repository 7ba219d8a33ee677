select
    device_key,
    platform,
    os_name,
    os_version,
    device_family,
    device_type,
    device_carrier,
    language,
    app_version
from "analytics"."fct_events"
where device_key is not null
group by
    device_key,
    platform,
    os_name,
    os_version,
    device_family,
    device_type,
    device_carrier,
    language,
    app_version
