{#
    Patterns on an element hierarchy as text. It may be cut anywhere, have the quotes of JSON or of
    Python, and have the keys of a node in any order. Search with the flag `i`.
#}
{% macro quote_pattern() -%}["']{%- endmacro %}

{# A key of a node with one of some values. #}
{% macro node_key_pattern(key, values) -%}
    ["']{{ key }}["'] ?: ?["']({{ values }})["']
{%- endmacro %}

{# What a node's text says of a key. #}
{% macro node_value(node, key) -%}
    {%- set pattern = "[\"']" ~ key ~ "[\"'] ?: ?(\"([^\"]*)\"|'([^']*)')" -%}
    coalesce(
        {{ amplitude_lake.regexp_first(node, pattern, 2, 'i') }},
        {{ amplitude_lake.regexp_first(node, pattern, 3, 'i') }}
    )
{%- endmacro %}
