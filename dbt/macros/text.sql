{# Text that says nothing becomes null. #}
{% macro meaningful(text) -%}
    {%- set ns = namespace(sql=text) -%}
    {%- for empty in var('empty_texts') -%}
        {%- set ns.sql = "nullif(" ~ ns.sql ~ ", '" ~ empty ~ "')" -%}
    {%- endfor -%}
    {{ ns.sql }}
{%- endmacro %}

{# A list of text for `in (…)`; of no text, one that nothing equals. #}
{% macro text_list(texts) -%}
    {%- if texts -%}
        {%- for text in texts -%}
            '{{ text | replace("'", "''") }}'{{ ', ' if not loop.last }}
        {%- endfor -%}
    {%- else -%}
        null
    {%- endif -%}
{%- endmacro %}

{#
    A pattern that finds one of some words. A word is letters and digits, and everything else
    separates. Search with the flag `i`.
#}
{% macro words_pattern(words, plural='') -%}
    (^|[^a-z0-9])({{ words | join('|') | replace('-', '[^a-z0-9]+') }}){{ plural }}([^a-z0-9]|$)
{%- endmacro %}

{#
    Regular expressions that both dialects know: no look-around, no lazy repetition, no groups that
    capture nothing.
    Flags: `i` ignores case. A replacement knows none.
#}
{% macro regexp_found(text, pattern, flags='') -%}
    {{ return(adapter.dispatch('regexp_found', 'amplitude_lake')(text, pattern, flags)) }}
{%- endmacro %}

{% macro default__regexp_found(text, pattern, flags) -%}
    regexp_matches({{ text }}, '{{ pattern | replace("'", "''") }}'{{ ", '" ~ flags ~ "'" if flags }})
{%- endmacro %}

{% macro snowflake__regexp_found(text, pattern, flags) -%}
    regexp_instr({{ text }}, '{{ pattern | replace("'", "''") | replace("\\", "\\\\") }}', 1, 1, 0, '{{ flags or 'c' }}') > 0
{%- endmacro %}

{# What a group of the first match holds, or null. #}
{% macro regexp_first(text, pattern, group=1, flags='') -%}
    {{ return(adapter.dispatch('regexp_first', 'amplitude_lake')(text, pattern, group, flags)) }}
{%- endmacro %}

{% macro default__regexp_first(text, pattern, group, flags) -%}
    nullif(regexp_extract({{ text }}, '{{ pattern | replace("'", "''") }}', {{ group }}{{ ", '" ~ flags ~ "'" if flags }}), '')
{%- endmacro %}

{% macro snowflake__regexp_first(text, pattern, group, flags) -%}
    nullif(regexp_substr({{ text }}, '{{ pattern | replace("'", "''") | replace("\\", "\\\\") }}', 1, 1, '{{ flags or 'c' }}e', {{ group }}), '')
{%- endmacro %}

{# Every match replaced. `by` may name a group by its number after a backslash. #}
{% macro regexp_replaced(text, pattern, by) -%}
    {{ return(adapter.dispatch('regexp_replaced', 'amplitude_lake')(text, pattern, by)) }}
{%- endmacro %}

{% macro default__regexp_replaced(text, pattern, by) -%}
    regexp_replace({{ text }}, '{{ pattern | replace("'", "''") }}', '{{ by }}', 'g')
{%- endmacro %}

{% macro snowflake__regexp_replaced(text, pattern, by) -%}
    regexp_replace({{ text }}, '{{ pattern | replace("'", "''") | replace("\\", "\\\\") }}', '{{ by | replace("\\", "\\\\") }}')
{%- endmacro %}
