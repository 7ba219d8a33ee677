{# All events of an event's session, in their order. #}
{% macro over_session() -%}
    over (
            partition by session_key
            order by nth_event
            rows between unbounded preceding and unbounded following
        )
{%- endmacro %}

{# The first, and the last, value in a session that is not null. #}
{% macro first_of_session(expression) -%}
    {{ return(adapter.dispatch('value_of_session', 'amplitude_lake')('first_value', expression)) }}
{%- endmacro %}

{% macro last_of_session(expression) -%}
    {{ return(adapter.dispatch('value_of_session', 'amplitude_lake')('last_value', expression)) }}
{%- endmacro %}

{% macro default__value_of_session(function, expression) -%}
    {{ function }}({{ expression }} ignore nulls) {{ amplitude_lake.over_session() }}
{%- endmacro %}

{% macro snowflake__value_of_session(function, expression) -%}
    {{ function }}({{ expression }}) ignore nulls {{ amplitude_lake.over_session() }}
{%- endmacro %}
