{# Rows of two tables that agree in some columns, null included. #}
{% macro same(left, right, columns) -%}
    {%- for column in columns -%}
        {{ left }}.{{ column }} is not distinct from {{ right }}.{{ column }}
        {{- '\n        and ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
