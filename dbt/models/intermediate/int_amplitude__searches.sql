{# What counts as a search: an event of one's own, a form, or a page view. #}
{%- set fields = [
    ['form_id', ['[Amplitude] Form ID'], 'varchar'],
    ['form_name', ['[Amplitude] Form Name'], 'varchar'],
    ['form_destination', ['[Amplitude] Form Destination'], 'varchar'],
    ['page_location', ['[Amplitude] Page Location'], 'varchar'],
] -%}

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
    from {{ ref('int_amplitude__session_events') }} as ordered
    inner join {{ ref('fct_events') }} as facts
        on
            ordered.session_key = facts.session_key
            and ordered.landed_hour = facts.landed_hour
            and ordered.landed_line = facts.landed_line
    where
        ordered.kind = 'page view'
        or ordered.event_type in ({{ text_list(['[Amplitude] Form Submitted'] + var('search_events')) }})
),

parsed as (
    {{ select_json_fields(
        'events', 'event_properties', fields, ['session_key', 'landed_hour', 'nth_event', 'at_clock', 'event_type', 'kind', 'page'],
    ) }}
)

select
    session_key,
    landed_hour,
    nth_event,
    at_clock,
    kind = 'page view' as is_page_view
from parsed
where
    event_type in ({{ text_list(var('search_events')) }})
    or (
        event_type = '[Amplitude] Form Submitted'
        and {{ regexp_found(
            "coalesce(form_id, '') || ' ' || coalesce(form_name, '') || ' ' || coalesce(" ~ url_path('form_destination') ~ ", '')",
            words_pattern(['search']),
            'i'
        ) }}
    )
    or (
        kind = 'page view'
        and (
            {{ regexp_found(
                'page_location',
                '^[^?#]*[?]([^#]*&)?(' ~ var('search_query_keys') | join('|') ~ ')([=&#]|$)'
            ) }}
            or {{ regexp_found('page', '/search([/#]|$)') }}
        )
    )
