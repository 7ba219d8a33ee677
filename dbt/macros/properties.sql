{#
    The first level of a JSON column with its types: a row for each hour, path and type, with counts of
    the rows that have it. DuckDB groups whole documents by their shape first, of which there are few.
#}
{% macro select_properties(relation, owner, json) -%}
    {{ return(adapter.dispatch('select_properties', 'amplitude_lake')(relation, owner, json)) }}
{%- endmacro %}

{% macro default__select_properties(relation, owner, json) -%}
    select
        landed_hour,
        load_id,
        '{{ owner }}' as owner,
        event_type,
        path,
        case json_type
            when 'VARCHAR' then 'text'
            when 'BOOLEAN' then 'boolean'
            when 'OBJECT' then 'object'
            when 'ARRAY' then 'array'
            when 'NULL' then 'null'
            else 'number'
        end as type,
        events,
        events_modelled_at
    from (
        select
            landed_hour,
            load_id,
            event_type,
            unnest(paths) as path,
            unnest(json_types) as json_type,
            events,
            events_modelled_at
        from (
            select
                landed_hour,
                load_id,
                event_type,
                json_keys({{ json }}) as paths,
                json_type({{ json }}, '$.*') as json_types,
                count(*) as events,
                max(modelled_at) as events_modelled_at
            from {{ relation }}
            group by landed_hour, load_id, event_type, json_keys({{ json }}), json_type({{ json }}, '$.*')
        ) as shapes
    ) as properties
{%- endmacro %}

{% macro snowflake__select_properties(relation, owner, json) -%}
    select
        rows_with_json.landed_hour,
        rows_with_json.load_id,
        '{{ owner }}' as owner,
        rows_with_json.event_type,
        property.key as path,
        case
            when is_null_value(property.value) then 'null'
            when left(to_json(property.value), 1) = '"' then 'text'
            when left(to_json(property.value), 1) = '{' then 'object'
            when left(to_json(property.value), 1) = '[' then 'array'
            when to_json(property.value) in ('true', 'false') then 'boolean'
            else 'number'
        end as type,
        count(*) as events,
        max(rows_with_json.modelled_at) as events_modelled_at
    from {{ relation }} as rows_with_json, lateral flatten(input => rows_with_json.{{ json }}) as property
    where left(to_json(rows_with_json.{{ json }}), 1) = '{'
    group by 1, 2, 3, 4, 5, 6
{%- endmacro %}
