{#
    Patterns on an element hierarchy as text. It may be cut anywhere, have the quotes of JSON or of
    Python, and have the keys of a node in any order. Search with the flag `i`.
#}
{% macro quote_pattern() -%}["']{%- endmacro %}

{# A key of a node with one of some values. #}
{% macro node_key_pattern(key, values) -%}
    ["']{{ key }}["'] ?: ?["']({{ values }})["']
{%- endmacro %}

{#
    What a node's text says of a key. A value ends at the quote that began it, unless a backslash is
    before it.
#}
{% macro node_value(node, key) -%}
    {%- set pattern -%}
        ["']{{ key }}["'] ?: ?("(([^"\\]|\\.)*)"|'(([^'\\]|\\.)*)')
    {%- endset -%}
    {%- set value -%}
        coalesce(
            {{ amplitude_lake.regexp_first(node, pattern, 2, 'i') }},
            {{ amplitude_lake.regexp_first(node, pattern, 4, 'i') }}
        )
    {%- endset -%}
    {%- set backslash = 'chr(92)' -%}
    replace(
        replace(
            replace({{ value }}, {{ backslash }} || '"', '"'),
            {{ backslash }} || chr(39), chr(39)
        ),
        {{ backslash }} || {{ backslash }}, {{ backslash }}
    )
{%- endmacro %}

{# The hierarchy as one line of text. Of an array of texts the quotes inside are escaped once more. #}
{% macro plain_hierarchy(hierarchy) -%}
    replace(
        case
            when left({{ hierarchy }}, 3) = '["{'
                then replace(replace({{ hierarchy }}, chr(92) || '"', '"'), chr(92) || chr(92) || '"', chr(92) || '"')
            else {{ hierarchy }}
        end,
        chr(10), ' '
    )
{%- endmacro %}
