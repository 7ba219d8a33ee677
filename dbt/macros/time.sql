{# The present in UTC, without a zone. #}
{% macro utc_now() -%}
    {{ return(adapter.dispatch('utc_now', 'amplitude_lake')()) }}
{%- endmacro %}

{# A cast would use the zone of the session. #}
{% macro default__utc_now() -%}
    make_timestamp(epoch_us(current_timestamp))
{%- endmacro %}

{% macro snowflake__utc_now() -%}
    cast(convert_timezone('UTC', current_timestamp()) as timestamp_ntz)
{%- endmacro %}

{% macro seconds_between(earlier, later) -%}
    cast(datediff('microsecond', {{ earlier }}, {{ later }}) as double) / 1000000
{%- endmacro %}
