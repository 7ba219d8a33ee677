{# What is read from each line: name, path, type. #}
{% macro event_fields() -%}
    {%- set text = [
        ('event_uuid', 'uuid'), ('insert_id', '$insert_id'), ('event_type', 'event_type'), ('user_id', 'user_id'),
        ('device_id', 'device_id'), ('project', 'app'), ('platform', 'platform'), ('os_name', 'os_name'),
        ('os_version', 'os_version'), ('device_family', 'device_family'), ('device_type', 'device_type'),
        ('device_carrier', 'device_carrier'), ('language', 'language'), ('library', 'library'),
        ('app_version', 'version_name'), ('country', 'country'), ('region', 'region'), ('city', 'city'), ('dma', 'dma'),
        ('ip_address', 'ip_address'),
    ] -%}
    {%- set times = ['event_time', 'client_event_time', 'client_upload_time', 'server_received_time', 'server_upload_time'] -%}
    {%- set properties = [
        ('page_url', 'Page URL'), ('page_path', 'Page Path'), ('page_location', 'Page Location'),
        ('page_domain', 'Page Domain'), ('screen_name', 'Screen Name'),
        ('previous_page_location', 'Previous Page Location'), ('element_tag', 'Element Tag'),
    ] -%}
    {%- set fields = [] -%}
    {%- for name, path in text -%}{%- do fields.append([name, [path], 'varchar']) -%}{%- endfor -%}
    {%- for name in times -%}{%- do fields.append([name, [name], 'timestamp']) -%}{%- endfor -%}
    {%- do fields.extend([
        ['event_id', ['event_id'], 'bigint'], ['session_number', ['session_id'], 'bigint'],
        ['amplitude_id', ['amplitude_id'], 'bigint'],
        ['latitude', ['location_lat'], 'decimal(9, 6)'], ['longitude', ['location_lng'], 'decimal(9, 6)'],
    ]) -%}
    {%- for name in ['event_properties', 'user_properties', 'groups'] -%}{%- do fields.append([name, [name], 'json']) -%}{%- endfor -%}
    {%- for name, path in properties -%}
        {%- do fields.append([name, ['event_properties', '[Amplitude] ' ~ path], 'varchar']) -%}
    {%- endfor -%}
    {{ return(fields) }}
{%- endmacro %}

{# The columns of `stg_amplitude__events` that `fct_events` keeps, and those it adds before it compares rows. #}
{% macro event_columns() -%}
    {{ return([
        'landed_hour', 'landed_line', 'load_id', 'event_uuid', 'insert_id', 'event_id', 'event_type', 'event_time',
        'client_event_time', 'client_upload_time', 'server_received_time', 'server_upload_time', 'session_id',
        'amplitude_id', 'user_id', 'device_id', 'project', 'platform', 'os_name', 'os_version', 'device_family',
        'device_type', 'device_carrier', 'language', 'library', 'app_version', 'country', 'region', 'city', 'dma',
        'ip_address', 'latitude', 'longitude', 'event_properties', 'user_properties', 'groups',
        'is_future', 'session_key', 'location_key', 'device_key', 'site', 'page',
        'insert_key', 'element_tag', 'previous_site', 'previous_page',
    ]) }}
{%- endmacro %}

{# Every line of a loaded hour, with its JSON and whether that is an object. #}
{% macro lines() -%}
    {{ return(adapter.dispatch('lines', 'amplitude_lake')()) }}
{%- endmacro %}

{#
    A half of a surrogate pair alone is no Unicode, and DuckDB's parser refuses the line. It is dropped
    there; pairs and escaped backslashes stay. Other lines are parsed once for this.
#}
{% macro default__lines() -%}
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
        from {{ source('amplitude', 'events_raw') }} as events_raw
        inner join {{ source('amplitude', 'loads') }} as loads on events_raw.hour = loads.hour
    ) as repaired
{%- endmacro %}

{# In a text of Snowflake a backslash is two. #}
{% macro snowflake__lines() -%}
    select
        landed_hour,
        landed_line,
        load_id,
        line,
        event,
        coalesce(left(to_json(event), 1) = '{', false) as is_event
    from (
        select
            loads.hour as landed_hour,
            events_raw.line as landed_line,
            loads.load_id,
            coalesce(events_raw.malformed, to_json(events_raw.event)) as line,
            coalesce(
                events_raw.event,
                try_parse_json(
                    regexp_replace(
                        events_raw.malformed,
                        '(\\\\\\\\|\\\\u[dD][89abAB][0-9a-fA-F]{2}\\\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\\\u[dD][89a-fA-F][0-9a-fA-F]{2}',
                        '\\1'
                    )
                )
            ) as event
        from {{ source('amplitude', 'events_raw') }} as events_raw
        inner join {{ source('amplitude', 'loads') }} as loads
            on events_raw.hour = loads.hour and events_raw.key = loads.key
    ) as repaired
{%- endmacro %}
