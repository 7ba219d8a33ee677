with events as (
    select
        *,
        coalesce(event_type in ('[Amplitude] Page Viewed', '[Amplitude] Screen Viewed'), false) as is_page_view
    from "analytics"."stg_amplitude__events"
),

addressed as (
    select
        *,
        case when is_page_view then coalesce(page_path, page_url) else coalesce(page_url, page_path) end as path_source,
        case when is_page_view then coalesce(page_url, page_location) else coalesce(page_url, page_path) end as hash_source
    from events
),

cut as (
    select
        *,
        coalesce(event_type = '[Amplitude] Screen Viewed', false) or path_source is null as is_screen,

        case
            when is_page_view
                then coalesce(lower(nullif(regexp_extract(page_domain, '^(www[.])?([^:/?#]+)', 2, 'i'), '')), lower(nullif(regexp_extract(page_url, '^[a-z][a-z0-9+.-]*://([^/?#@]*@)?(www[.])?([^/?#:@]+)', 3, 'i'), '')), lower(nullif(regexp_extract(page_location, '^[a-z][a-z0-9+.-]*://([^/?#@]*@)?(www[.])?([^/?#:@]+)', 3, 'i'), '')))
            else coalesce(lower(nullif(regexp_extract(page_url, '^[a-z][a-z0-9+.-]*://([^/?#@]*@)?(www[.])?([^/?#:@]+)', 3, 'i'), '')), lower(nullif(regexp_extract(page_domain, '^(www[.])?([^:/?#]+)', 2, 'i'), '')))
        end as host,
        case
        when path_source is not null
            then coalesce(nullif(regexp_extract(path_source, '^([a-z][a-z0-9+.-]*://[^/?#]*)?([^?#]*)', 2, 'i'), ''), '/')
    end as path,
        case
        when hash_source like '%#/%' then nullif(regexp_extract(hash_source, '^[^#]*#(/[^?#]*)', 1), '')
    end as hash_path,
        case when is_page_view then lower(nullif(regexp_extract(previous_page_location, '^[a-z][a-z0-9+.-]*://([^/?#@]*@)?(www[.])?([^/?#:@]+)', 3, 'i'), '')) end as previous_host,
        case when is_page_view then case
        when previous_page_location is not null
            then coalesce(nullif(regexp_extract(previous_page_location, '^([a-z][a-z0-9+.-]*://[^/?#]*)?([^?#]*)', 2, 'i'), ''), '/')
    end end as previous_path,
        case when is_page_view then case
        when previous_page_location like '%#/%' then nullif(regexp_extract(previous_page_location, '^[^#]*#(/[^?#]*)', 1), '')
    end end as previous_hash_path
    from addressed
),

named as (
    select
        cut.*,
        coalesce(coalesce(named_site_3.site, named_site_2.site, named_site_1.site, named_site_0.site), cut.host) as host_site,
        coalesce(coalesce(named_previous_3.site, named_previous_2.site, named_previous_1.site, named_previous_0.site), cut.previous_host) as previous_site
    from cut

    left join "analytics"."int_amplitude__sites" as named_site_0
        on
            named_site_0.host = cut.host
            and named_site_0.path_prefix = ''
            and named_site_0.segments = 0
    left join "analytics"."int_amplitude__sites" as named_site_1
        on
            named_site_1.host = cut.host
            and named_site_1.path_prefix = '' || '/' || split_part(cut.path, '/', 2)
            and named_site_1.segments = 1
    left join "analytics"."int_amplitude__sites" as named_site_2
        on
            named_site_2.host = cut.host
            and named_site_2.path_prefix = '' || '/' || split_part(cut.path, '/', 2) || '/' || split_part(cut.path, '/', 3)
            and named_site_2.segments = 2
    left join "analytics"."int_amplitude__sites" as named_site_3
        on
            named_site_3.host = cut.host
            and named_site_3.path_prefix = '' || '/' || split_part(cut.path, '/', 2) || '/' || split_part(cut.path, '/', 3) || '/' || split_part(cut.path, '/', 4)
            and named_site_3.segments = 3

    left join "analytics"."int_amplitude__sites" as named_previous_0
        on
            named_previous_0.host = cut.previous_host
            and named_previous_0.path_prefix = ''
            and named_previous_0.segments = 0
    left join "analytics"."int_amplitude__sites" as named_previous_1
        on
            named_previous_1.host = cut.previous_host
            and named_previous_1.path_prefix = '' || '/' || split_part(cut.previous_path, '/', 2)
            and named_previous_1.segments = 1
    left join "analytics"."int_amplitude__sites" as named_previous_2
        on
            named_previous_2.host = cut.previous_host
            and named_previous_2.path_prefix = '' || '/' || split_part(cut.previous_path, '/', 2) || '/' || split_part(cut.previous_path, '/', 3)
            and named_previous_2.segments = 2
    left join "analytics"."int_amplitude__sites" as named_previous_3
        on
            named_previous_3.host = cut.previous_host
            and named_previous_3.path_prefix = '' || '/' || split_part(cut.previous_path, '/', 2) || '/' || split_part(cut.previous_path, '/', 3) || '/' || split_part(cut.previous_path, '/', 4)
            and named_previous_3.segments = 3
),

tidy as (
    select
        *,
        case
        when path is not null
            then coalesce(
                nullif(
                    replace(
                        regexp_replace(replace(rtrim(path, '/'), '/', '//'), '/([0-9]+|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(/|$)', '/:id\3', 'g'),
                        '//', '/'
                    ),
                    ''
                ),
                '/'
            )
    end as tidy_path,
        case
        when hash_path is not null
            then coalesce(
                nullif(
                    replace(
                        regexp_replace(replace(rtrim(hash_path, '/'), '/', '//'), '/([0-9]+|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(/|$)', '/:id\3', 'g'),
                        '//', '/'
                    ),
                    ''
                ),
                '/'
            )
    end as tidy_hash_path,
        case
        when previous_path is not null
            then coalesce(
                nullif(
                    replace(
                        regexp_replace(replace(rtrim(previous_path, '/'), '/', '//'), '/([0-9]+|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(/|$)', '/:id\3', 'g'),
                        '//', '/'
                    ),
                    ''
                ),
                '/'
            )
    end as tidy_previous_path,
        case
        when previous_hash_path is not null
            then coalesce(
                nullif(
                    replace(
                        regexp_replace(replace(rtrim(previous_hash_path, '/'), '/', '//'), '/([0-9]+|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(/|$)', '/:id\3', 'g'),
                        '//', '/'
                    ),
                    ''
                ),
                '/'
            )
    end as tidy_previous_hash_path
    from named
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
    coalesce(event_time > server_upload_time + interval '1 hours', false) as is_future,
    case
        when session_id is null then null
        when device_id is not null then md5(
        coalesce(cast('device' as varchar), chr(30)) || chr(31) ||
        coalesce(cast(device_id as varchar), chr(30)) || chr(31) ||
        coalesce(cast(session_id as varchar), chr(30))
    )
        when amplitude_id is not null then md5(
        coalesce(cast('amplitude' as varchar), chr(30)) || chr(31) ||
        coalesce(cast(amplitude_id as varchar), chr(30)) || chr(31) ||
        coalesce(cast(session_id as varchar), chr(30))
    )
    end as session_key,
    case
        when coalesce(cast(country as varchar), cast(region as varchar), cast(city as varchar), cast(dma as varchar), cast(latitude as varchar), cast(longitude as varchar)) is not null
            then md5(
        coalesce(cast(country as varchar), chr(30)) || chr(31) ||
        coalesce(cast(region as varchar), chr(30)) || chr(31) ||
        coalesce(cast(city as varchar), chr(30)) || chr(31) ||
        coalesce(cast(dma as varchar), chr(30)) || chr(31) ||
        coalesce(cast(latitude as varchar), chr(30)) || chr(31) ||
        coalesce(cast(longitude as varchar), chr(30))
    )
    end as location_key,
    case
        when coalesce(cast(platform as varchar), cast(os_name as varchar), cast(os_version as varchar), cast(device_family as varchar), cast(device_type as varchar), cast(device_carrier as varchar), cast(language as varchar), cast(app_version as varchar)) is not null
            then md5(
        coalesce(cast(platform as varchar), chr(30)) || chr(31) ||
        coalesce(cast(os_name as varchar), chr(30)) || chr(31) ||
        coalesce(cast(os_version as varchar), chr(30)) || chr(31) ||
        coalesce(cast(device_family as varchar), chr(30)) || chr(31) ||
        coalesce(cast(device_type as varchar), chr(30)) || chr(31) ||
        coalesce(cast(device_carrier as varchar), chr(30)) || chr(31) ||
        coalesce(cast(language as varchar), chr(30)) || chr(31) ||
        coalesce(cast(app_version as varchar), chr(30))
    )
    end as device_key,
    coalesce(host_site, case when lower(platform) <> 'web' then platform end) as site,
    case when is_screen then screen_name else tidy_path || coalesce('#' || nullif(tidy_hash_path, '/'), '') end as page,
    case
        when insert_id is null then null
        when device_id is not null then 'device' || chr(31) || device_id || chr(31) || insert_id
        when amplitude_id is not null then 'amplitude' || chr(31) || cast(amplitude_id as varchar) || chr(31) || insert_id
    end as insert_key,
    lower(element_tag) as element_tag,
    previous_site,
    tidy_previous_path || coalesce('#' || nullif(tidy_previous_hash_path, '/'), '') as previous_page
from tidy
