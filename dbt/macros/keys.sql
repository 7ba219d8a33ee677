{# A key of several columns. Null and empty differ, and no value can run into the next. #}
{% macro key_of(columns) -%}
    md5(
        {%- for column in columns %}
        coalesce(cast({{ column }} as varchar), chr(30)){% if not loop.last %} || chr(31) || {% endif %}
        {%- endfor %}
    )
{%- endmacro %}

{# The same, but null if every column is. #}
{% macro key_or_null(columns) -%}
    case
        when coalesce({% for column in columns %}cast({{ column }} as varchar){{ ', ' if not loop.last }}{% endfor %}) is not null
            then {{ amplitude_lake.key_of(columns) }}
    end
{%- endmacro %}
