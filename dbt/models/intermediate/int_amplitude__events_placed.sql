{%- set own_pages = var('click_events') | selectattr('page', 'defined') | list -%}

with events as (
    select
        *,
        coalesce(event_type in ({{ text_list(var('page_view_events')) }}), false) as is_page_view
        {%- if own_pages %},
        case event_type
            {%- for click in own_pages %}
            when '{{ click.event_type }}' then {{ json_text('event_properties', [click.page]) }}
            {%- endfor %}
        end as own_page
        {%- endif %}
    from {{ ref('stg_amplitude__events') }}
),

addressed as (
    select
        *,
        {% if own_pages -%}
        coalesce(own_page, case when is_page_view then coalesce(page_path, page_url) else coalesce(page_url, page_path) end)
        {%- else -%}
        case when is_page_view then coalesce(page_path, page_url) else coalesce(page_url, page_path) end
        {%- endif %} as path_source,
        {% if own_pages -%}
        coalesce(own_page, case when is_page_view then coalesce(page_url, page_location) else coalesce(page_url, page_path) end)
        {%- else -%}
        case when is_page_view then coalesce(page_url, page_location) else coalesce(page_url, page_path) end
        {%- endif %} as hash_source
    from events
),

cut as (
    select
        *,
        coalesce(event_type = '[Amplitude] Screen Viewed', false) or path_source is null as is_screen,
        {# A view's own URLs agree; those of other events may already be the next page's. #}
        case
            when is_page_view
                then coalesce({{ tidy_host('page_domain') }}, {{ url_host('page_url') }}, {{ url_host('page_location') }})
            else coalesce({{ url_host('page_url') }}, {{ tidy_host('page_domain') }})
        end as host,
        {{ url_path('path_source') }} as path,
        {{ url_hash_path('hash_source') }} as hash_path,
        case when is_page_view then {{ url_host('previous_page_location') }} end as previous_host,
        case when is_page_view then {{ url_path('previous_page_location') }} end as previous_path,
        case when is_page_view then {{ url_hash_path('previous_page_location') }} end as previous_hash_path
    from addressed
),

named as (
    select
        cut.*,
        coalesce({{ joined_site('named_site') }}, cut.host) as host_site,
        coalesce({{ joined_site('named_previous') }}, cut.previous_host) as previous_site
    from cut
    {{ join_sites('named_site', 'cut.host', 'cut.path') }}
    {{ join_sites('named_previous', 'cut.previous_host', 'cut.previous_path') }}
),

tidy as (
    select
        *,
        {{ tidy_path('path') }} as tidy_path,
        {{ tidy_path('hash_path') }} as tidy_hash_path,
        {{ tidy_path('previous_path') }} as tidy_previous_path,
        {{ tidy_path('previous_hash_path') }} as tidy_previous_hash_path
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
    coalesce(event_time > server_upload_time + interval '{{ var('future_hours') }} hours', false) as is_future,
    case
        when session_id is null then null
        when device_id is not null then {{ key_of(["'device'", 'device_id', 'session_id']) }}
        when amplitude_id is not null then {{ key_of(["'amplitude'", 'amplitude_id', 'session_id']) }}
    end as session_key,
    {{ key_or_null(['country', 'region', 'city', 'dma', 'latitude', 'longitude']) }} as location_key,
    {{ key_or_null([
        'platform', 'os_name', 'os_version', 'device_family', 'device_type', 'device_carrier', 'language', 'app_version',
    ]) }} as device_key,
    coalesce(host_site, case when lower(platform) <> 'web' then platform end) as site,
    case when is_screen then screen_name else {{ page_name('tidy_path', 'tidy_hash_path') }} end as page,
    case
        when insert_id is null then null
        when device_id is not null then 'device' || chr(31) || device_id || chr(31) || insert_id
        when amplitude_id is not null then 'amplitude' || chr(31) || cast(amplitude_id as varchar) || chr(31) || insert_id
    end as insert_key,
    lower(element_tag) as element_tag,
    previous_site,
    {{ page_name('tidy_previous_path', 'tidy_previous_hash_path') }} as previous_page
from tidy
