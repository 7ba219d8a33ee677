{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='session_key',
    on_schema_change='fail',
    post_hook=[
        '{{ delete_rows_of_vanished_loads() }}',
        "{{ delete_rows_without('landed_line') }}",
    ],
) }}

{%- set own = var('click_events') -%}
{%- set own_properties = ['label', 'item', 'menu', 'href'] -%}
{%- set fields = [
    ['page_view_id', ['[Amplitude] Page View ID'], 'varchar'],
    ['element_id', ['[Amplitude] Element ID'], 'varchar'],
    ['element_class', ['[Amplitude] Element Class'], 'varchar'],
    ['element_text', ['[Amplitude] Element Text'], 'varchar'],
    ['element_href', ['[Amplitude] Element Href'], 'varchar'],
    ['element_aria_label', ['[Amplitude] Element Aria Label'], 'varchar'],
    ['element_path', ['[Amplitude] Element Path'], 'varchar'],
    ['track_id', ['[Amplitude] Element Attributes', 'id'], 'varchar'],
    ['track_name', ['[Amplitude] Element Attributes', 'name'], 'varchar'],
    ['target_text', ['[Amplitude] Target Text'], 'varchar'],
    ['target_label', ['[Amplitude] Target Accessibility Label'], 'varchar'],
    ['target_identifier', ['[Amplitude] Target Accessibility Identifier'], 'varchar'],
    ['target_resource', ['[Amplitude] Target Resource'], 'varchar'],
    ['target_view_class', ['[Amplitude] Target View Class'], 'varchar'],
    ['target_class', ['[Amplitude] Target Class'], 'varchar'],
    ['hierarchy', ['[Amplitude] Element Hierarchy'], 'varchar'],
    ['first_node', ['[Amplitude] Element Hierarchy', 0], 'varchar'],
] -%}
{%- set attributes = ['title', 'alt', 'name', 'placeholder', 'type'] -%}
{%- for attribute in attributes -%}
    {%- do fields.append(['array_' ~ attribute, ['[Amplitude] Element Hierarchy', 0, 'attrs', attribute], 'varchar']) -%}
{%- endfor -%}
{%- for n in [1, 2] -%}
    {%- do fields.append(['array_classes_' ~ n, ['[Amplitude] Element Hierarchy', n, 'classes'], 'varchar']) -%}
{%- endfor -%}
{%- set text_fields = [] -%}
{%- for attribute in attributes -%}
    {%- do text_fields.append(['text_' ~ attribute, [0, 'attrs', attribute], 'varchar']) -%}
{%- endfor -%}
{%- for n in [1, 2] -%}
    {%- do text_fields.append(['text_classes_' ~ n, [n, 'classes'], 'varchar']) -%}
{%- endfor -%}

{%- set node_end = '[}]' ~ quote_pattern() ~ '? ?, ?' ~ quote_pattern() ~ '?[{]' -%}
{%- set strong = node_key_pattern('tag', 'nav') ~ '|' ~ node_key_pattern('role', 'navigation|menubar|menu|menuitem[a-z]*') -%}
{%- set in_header = node_key_pattern('tag', 'header') ~ '|' ~ node_key_pattern('role', 'banner') -%}
{%- set enclosing = node_key_pattern('tag', 'nav|header') ~ '|' ~ node_key_pattern('role', 'navigation|menubar|menu|banner') -%}
{%- set footer = node_key_pattern('tag', 'footer') -%}

{%- if is_incremental() -%}
    {%- set hours = hours_of_sessions(ref('fct_events'), touched_sessions()) -%}
{%- endif %}

with
{%- if is_incremental() %}
touched as (
    {{ touched_sessions() }}
),
{% endif %}

clicks as (
    select
        session_key,
        landed_hour,
        landed_line,
        load_id,
        modelled_at,
        event_type,
        element_tag,
        event_properties
    from {{ rows_to_read(ref('fct_events'), hours) }} as events
    where
        session_key is not null
        and not is_duplicate
        and event_type in ({{ text_list([
            '[Amplitude] Element Clicked', '[Amplitude] Element Interacted',
            '[Amplitude] Rage Click', '[Amplitude] Dead Click',
        ] + (own | map(attribute='event_type') | list)) }})
),

parsed as (
    {{ select_json_fields(
        'clicks', 'event_properties', fields,
        ['session_key', 'landed_hour', 'landed_line', 'load_id', 'modelled_at', 'event_type', 'element_tag', 'event_properties'],
    ) }}
),

{# Where the hierarchy is text, it is JSON at best. #}
texts as (
    select
        *,
        case when first_node is null and left(hierarchy, 1) = '[' then {{ json_or_null('hierarchy') }} end as json_hierarchy
    from parsed
),

read as (
    {{ select_json_fields(
        'texts', 'json_hierarchy', text_fields,
        ['session_key', 'landed_hour', 'landed_line', 'load_id', 'modelled_at', 'event_type', 'element_tag', 'event_properties', 'json_hierarchy']
        + (fields | map('first') | list),
    ) }}
),

guessed as (
    select
        *,
        {{ plain_hierarchy('hierarchy') }} as hierarchy_text
    from read
),

likely as (
    select
        *,
        coalesce(
            case
                when {{ regexp_found('hierarchy_text', strong, 'i') }} then true
                when {{ regexp_found('hierarchy_text', in_header, 'i') }}
                    then {{ regexp_found('hierarchy_text', words_pattern(var('menu_words')), 'i') }}
            end,
            false
        ) as is_like_menu,
        case
            when first_node is not null then first_node
            else {{ regexp_replaced('hierarchy_text', node_end ~ '.*$', '}') }}
        end as node_text
    from guessed
),

noded as (
    select
        *,
        {# One mark between two nodes. #}
        case
            when is_like_menu then {{ regexp_replaced("replace(hierarchy_text, '¶', ' ')", node_end, '}¶{') }}
        end as nodes
    from likely
),

enclosed as (
    select
        *,
        {# Up to the end of the first node that may be the menu: what encloses it does not count. #}
        {{ regexp_replaced('lower(nodes)', '((' ~ enclosing ~ ')[^¶]*)(¶.*)?$', '\\1') }} as menu_text,
        coalesce(
            {{ regexp_first('nodes', '([^¶]*' ~ node_key_pattern('tag', 'nav') ~ '[^¶]*)', 1, 'i') }},
            {{ regexp_first('nodes', '([^¶]*' ~ node_key_pattern('role', 'navigation|menubar|menu') ~ '[^¶]*)', 1, 'i') }}
        ) as nav_text
    from noded
),

described as (
    select
        session_key,
        landed_hour,
        landed_line,
        load_id,
        modelled_at,
        event_type,
        page_view_id,
        element_id,
        element_class,
        element_path,
        track_id,
        node_text,
        target_identifier,
        target_resource,
        {%- for property in own_properties %}
        {%- set ns = namespace(whens='') %}
        {%- for click in own if click[property] is defined %}
            {%- set ns.whens = ns.whens ~ " when '" ~ click.event_type ~ "' then " ~ json_text('event_properties', [click[property]]) %}
        {%- endfor %}
        {{ 'case event_type' ~ ns.whens ~ ' end' if ns.whens else 'cast(null as varchar)' }} as own_{{ property }},
        {%- endfor %}
        coalesce(element_tag, target_view_class, target_class) as tag,
        element_tag,
        {{ meaningful('element_text') }} as element_text,
        {{ meaningful('element_href') }} as element_href,
        {{ meaningful('element_aria_label') }} as aria_label,
        {{ meaningful('target_text') }} as target_text,
        {{ meaningful('target_label') }} as target_label,
        {{ meaningful('track_name') }} as track_name,
        {%- for attribute in attributes %}
        {{ meaningful(
            'coalesce(array_' ~ attribute ~ ', text_' ~ attribute ~ ', case when first_node is null and json_hierarchy is null then '
            ~ node_value('node_text', attribute) ~ ' end)'
        ) }} as attribute_{{ attribute }},
        {%- endfor %}
        coalesce(array_classes_1, text_classes_1) as parent_classes,
        coalesce(array_classes_2, text_classes_2) as grandparent_classes,
        case
            when not is_like_menu then null
            when {{ regexp_found('menu_text', words_pattern(var('not_menu_words'), 's?'), 'i') }} then null
            when {{ regexp_found('nodes', '(' ~ enclosing ~ ')[^¶]*¶.*' ~ footer, 'i') }} then 'footer'
            when not {{ regexp_found('nodes', enclosing, 'i') }} and {{ regexp_found('nodes', footer, 'i') }} then 'footer'
            else coalesce(
                {{ meaningful(node_value('nav_text', 'aria-label')) }},
                {{ meaningful(node_value('nav_text', 'id')) }},
                'main'
            )
        end as hierarchy_menu
    from enclosed
),

labelled as (
    select
        *,
        coalesce({{ meaningful('own_href') }}, element_href) as href,
        coalesce({{ meaningful('own_menu') }}, hierarchy_menu) as menu
    from described
),

addressed as (
    select
        *,
        {{ url_path('href') }} as href_path,
        {{ url_hash_path('href') }} as href_hash_path
    from labelled
),

tidied as (
    select
        *,
        {{ tidy_path('href_path') }} as tidy_href_path,
        {{ tidy_path('href_hash_path') }} as tidy_href_hash_path
    from addressed
),

named as (
    select
        session_key,
        landed_hour,
        landed_line,
        load_id,
        page_view_id,
        coalesce(
            {{ meaningful('own_item') }},
            {{ meaningful('track_id') }},
            case
                when not {{ regexp_found('element_id', '^:r.*:$|^(radix-|headlessui-|mui-)') }} then {{ meaningful('element_id') }}
            end,
            {{ meaningful('element_path') }},
            {{ meaningful('target_identifier') }},
            {{ meaningful('target_resource') }},
            nullif(
                trim(
                    coalesce(tag, '')
                    || coalesce(' ' || {{ page_name('tidy_href_path', 'tidy_href_hash_path') }}, '')
                    || coalesce(' ' || coalesce({{ meaningful('own_label') }}, element_text, target_text, target_label), '')
                ),
                ''
            ),
            event_type
        ) as element,
        coalesce(
            {{ meaningful('own_label') }},
            {{ meaningful('own_item') }},
            element_text,
            aria_label,
            attribute_title,
            attribute_alt,
            attribute_name,
            attribute_placeholder,
            target_text,
            target_label,
            track_name,
            {{ regexp_first("rtrim(href_path || coalesce('#' || href_hash_path, ''), '/#')", '([^/#]+)$', 1) }},
            {{ meaningful('element_id') }},
            tag
        ) as label,
        tag,
        href,
        {{ page_name('tidy_href_path', 'tidy_href_hash_path') }} as href_page,
        menu,
        coalesce(
            case
                when menu is null or own_item is not null then false
                when element_tag = 'button' or href is null then true
                else {{ regexp_found('node_text', quote_pattern() ~ 'aria-(expanded|haspopup)' ~ quote_pattern() ~ ' ?:', 'i') }}
            end,
            false
        ) as is_like_opener,
        coalesce(element_tag in ({{ text_list(var('repeatable_tags')) }}), false)
        or {{ regexp_found(
            "coalesce(element_id, '') || ' ' || coalesce(element_class, '') || ' ' || coalesce(aria_label, '') || ' ' || coalesce(element_text, '')"
            ~ " || ' ' || coalesce(target_text, '') || ' ' || coalesce(target_label, '')"
            ~ " || ' ' || coalesce(parent_classes, '') || ' ' || coalesce(grandparent_classes, '')",
            words_pattern(var('repeatable_words')),
            'i'
        ) }} as is_repeatable,
        coalesce(
            case
                when element_tag = 'textarea' then true
                when element_tag = 'input'
                    then coalesce(lower(attribute_type), 'text') not in ({{ text_list(var('other_input_types')) }})
                else {{ regexp_found('node_text', node_key_pattern('contenteditable', '|true|plaintext-only'), 'i') }}
            end,
            false
        ) as is_text_field,
        modelled_at as events_modelled_at
    from tidied
)

{{ rows_of_touched_sessions('named', [
    'landed_hour', 'landed_line', 'load_id', 'page_view_id', 'element', 'label', 'tag', 'href', 'href_page', 'menu',
    'is_like_opener', 'is_repeatable', 'is_text_field', 'events_modelled_at',
]) }}
