{#
    Fields of a JSON column as columns. `fields` holds [name, path, type]; of the type `json` the
    field stays JSON, and JSON's null is null. DuckDB parses each document once for all fields,
    Snowflake reads a variant.
#}
{% macro select_json_fields(relation, json, fields, keep) -%}
    {{ return(adapter.dispatch('select_json_fields', 'amplitude_lake')(relation, json, fields, keep)) }}
{%- endmacro %}

{% macro default__select_json_fields(relation, json, fields, keep) -%}
    select
        {{ keep | join(',\n        ') }}
        {%- for name, path, type in fields %},
        {% if type in ('varchar', 'json') %}field[{{ loop.index }}]{% else %}try_cast(field[{{ loop.index }}] as {{ type }}){% endif %} as {{ name }}
        {%- endfor %}
    from (
        select
            {{ keep | join(',\n            ') }},
            json_extract_string({{ json }}, [
                {%- for name, path, type in fields %}
                {{ amplitude_lake.duckdb_json_path(path) }}{{ ',' if not loop.last }}
                {%- endfor %}
            ]) as field
        from {{ relation }}
    ) as parsed
{%- endmacro %}

{% macro snowflake__select_json_fields(relation, json, fields, keep) -%}
    select
        {{ keep | join(',\n        ') }}
        {%- for name, path, type in fields %}
        {%- set field = amplitude_lake.snowflake_json_path(json, path) %},
        {% if type == 'json' %}iff(is_null_value({{ field }}), null, {{ field }})
        {%- elif type == 'varchar' %}{{ field }}::varchar
        {%- else %}try_cast({{ field }}::varchar as {{ type }}){% endif %} as {{ name }}
        {%- endfor %}
    from {{ relation }}
{%- endmacro %}

{# One field of a JSON column, as text without quotes. #}
{% macro json_text(json, path) -%}
    {{ return(adapter.dispatch('json_text', 'amplitude_lake')(json, path)) }}
{%- endmacro %}

{% macro default__json_text(json, path) -%}
    json_extract_string({{ json }}, {{ amplitude_lake.duckdb_json_path(path) }})
{%- endmacro %}

{% macro snowflake__json_text(json, path) -%}
    {{ amplitude_lake.snowflake_json_path(json, path) }}::varchar
{%- endmacro %}

{# Text as JSON, or null if it is none. #}
{% macro json_or_null(text) -%}
    {{ return(adapter.dispatch('json_or_null', 'amplitude_lake')(text)) }}
{%- endmacro %}

{% macro default__json_or_null(text) -%}
    case when json_valid({{ text }}) then {{ text }} end
{%- endmacro %}

{% macro snowflake__json_or_null(text) -%}
    try_parse_json({{ text }})
{%- endmacro %}

{% macro duckdb_json_path(path) -%}
    '$
    {%- for step in path -%}
        {% if step is number %}[{{ step }}]{% else %}."{{ step | replace("'", "''") }}"{% endif %}
    {%- endfor -%}
    '
{%- endmacro %}

{% macro snowflake_json_path(json, path) -%}
    {{ json }}
    {%- for step in path -%}
        {% if step is number %}[{{ step }}]{% elif loop.first %}:"{{ step }}"{% else %}."{{ step }}"{% endif %}
    {%- endfor -%}
{%- endmacro %}
