{# The ends of the Wilson interval of `hits` among `tries`, null without tries. The exponents make numbers binary. #}
{% macro wilson_low(hits, tries) -%}
    greatest(
        {{ amplitude_lake.wilson_centre(hits, tries) }} - {{ amplitude_lake.wilson_half(hits, tries) }},
        cast(0 as double)
    )
{%- endmacro %}

{% macro wilson_high(hits, tries) -%}
    least(
        {{ amplitude_lake.wilson_centre(hits, tries) }} + {{ amplitude_lake.wilson_half(hits, tries) }},
        cast(1 as double)
    )
{%- endmacro %}

{% macro wilson_centre(hits, tries) -%}
    {%- set z2 = var('wilson_z') ** 2 -%}
    ({{ hits }} + {{ z2 / 2 }}e0) / nullif({{ tries }} + {{ z2 }}e0, {{ z2 }}e0)
{%- endmacro %}

{% macro wilson_half(hits, tries) -%}
    {%- set z2 = var('wilson_z') ** 2 -%}
    {{ var('wilson_z') }}e0 * sqrt(
        cast({{ hits }} as double) * ({{ tries }} - {{ hits }}) / nullif({{ tries }}, 0) + {{ z2 / 4 }}e0
    ) / nullif({{ tries }} + {{ z2 }}e0, {{ z2 }}e0)
{%- endmacro %}

{# A part of a whole between 0 and 1; null of nothing. #}
{% macro share_of(part, whole) -%}
    cast({{ part }} as double) / nullif({{ whole }}, 0)
{%- endmacro %}

{# Whether a condition holds for any row of a group, never null. #}
{% macro any_row(condition) -%}
    max(case when {{ condition }} then 1 else 0 end) = 1
{%- endmacro %}

{# How many rows of a group fulfil a condition, as a whole number in both dialects. #}
{% macro count_where(condition) -%}
    count(case when {{ condition }} then 1 end)
{%- endmacro %}
