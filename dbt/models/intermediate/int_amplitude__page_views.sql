{%- set fields = [
    ['title', ['[Amplitude] Page Title'], 'varchar'],
    ['page_view_id', ['[Amplitude] Page View ID'], 'varchar'],
    ['page_location', ['[Amplitude] Page Location'], 'varchar'],
    ['referring_domain', ['referring_domain'], 'varchar'],
    ['utm_source', ['utm_source'], 'varchar'],
    ['utm_medium', ['utm_medium'], 'varchar'],
    ['utm_campaign', ['utm_campaign'], 'varchar'],
] %}

with views as (
    select
        session_key,
        landed_hour,
        landed_line,
        event_properties
    from {{ ref('fct_events') }}
    where
        session_key is not null
        and not is_duplicate
        and event_type in ({{ text_list(var('page_view_events')) }})
),

parsed as (
    {{ select_json_fields('views', 'event_properties', fields, ['session_key', 'landed_hour', 'landed_line']) }}
)

select
    session_key,
    landed_hour,
    landed_line,
    {{ meaningful('title') }} as title,
    page_view_id,
    {{ meaningful('referring_domain') }} as referring_domain,
    {%- for key in ['utm_source', 'utm_medium', 'utm_campaign'] %}
    coalesce(
        {{ meaningful(key) }},
        {{ meaningful(regexp_first('page_location', '^[^?#]*[?]([^#]*&)?' ~ key ~ '=([^&#]*)', 2)) }}
    ) as {{ key }}{{ ',' if not loop.last }}
    {%- endfor %}
from parsed
