{#
    Which rows an increment makes again follows the ledger, and the state is in the tables themselves:
    a row knows the load that it came from, and when `fct_events` wrote it.
#}

{# Hours that were loaded, or loaded again, since the table was built. #}
{% macro hours_not_modelled() -%}
    select hour
    from {{ source('amplitude', 'loads') }}
    where load_id not in (select load_id from {{ this }})
{%- endmacro %}

{# The loads that count: those of replaced and removed hours are gone from the ledger. #}
{% macro present_loads() -%}
    select load_id from {{ source('amplitude', 'loads') }}
{%- endmacro %}

{# Deletes what came from loads that are gone. After the model ran, which still had to see it. #}
{% macro delete_rows_of_vanished_loads() -%}
    {% if is_incremental() %}
        delete from {{ this }} where load_id not in ({{ amplitude_lake.present_loads() }})
    {% endif %}
{%- endmacro %}

{#
    Sessions of which an event came, went or changed since the table was built. For tables with a row
    for each event of a session; a table of sessions keeps the loads of a session as a list.
#}
{% macro touched_sessions(has_row_per_event=true) -%}
    select session_key
    from {{ ref('fct_events') }}
    where
        session_key is not null
        and modelled_at > (select coalesce(max(events_modelled_at), cast('1970-01-01' as timestamp)) from {{ this }})
    union
    select session_key
    from {{ this if has_row_per_event else '(' ~ amplitude_lake.loads_of_rows(this, 'session_key') ~ ') as loads_of_sessions' }}
    where load_id not in ({{ amplitude_lake.present_loads() }})
{%- endmacro %}

{# Hours of which `fct_events` wrote a row since the table was built. #}
{% macro touched_hours() -%}
    select distinct landed_hour
    from {{ ref('fct_events') }}
    where modelled_at > (select coalesce(max(events_modelled_at), cast('1970-01-01' as timestamp)) from {{ this }})
{%- endmacro %}

{#
    Sessions that `int_amplitude__session_events` wrote again, or has no more, since the table was built.
    A page view or a click depends on its neighbours, so the loads of its own row do not tell.
#}
{% macro rewritten_sessions() -%}
    select session_key
    from {{ ref('int_amplitude__session_events') }}
    where
        session_modelled_at
        > (select coalesce(max(session_modelled_at), cast('1970-01-01' as timestamp)) from {{ this }})
    union
    select session_key
    from {{ this }}
    where session_key not in (select session_key from {{ ref('int_amplitude__session_events') }})
{%- endmacro %}

{#
    A relation's rows of touched sessions, in an increment. Each side of a join needs this: a database
    does not conclude from one side which rows of the other it can leave unread. `hours` comes from
    `hours_of_sessions`. The rows of a table came in the order of hours, so the others are not read.
#}
{% macro rows_to_read(relation, hours=none) -%}
    {% if is_incremental() -%}
        (
            select * from {{ relation }}
            where
                session_key in (select session_key from touched)
                {%- if hours %}
                and landed_hour between '{{ hours[0] }}' and '{{ hours[1] }}'
                {%- endif %}
        )
    {%- else -%}
        {{ relation }}
    {%- endif %}
{%- endmacro %}

{#
    The first and the last hour in which rows of some sessions landed, queried before the model is made.
    On DuckDB alone: dbt has the file to itself there. Elsewhere a load may commit between the two
    queries, and sessions that it touches may have rows in other hours.
#}
{% macro hours_of_sessions(relation, sessions) -%}
    {% if target.type != 'duckdb' %}{{ return(none) }}{% endif %}
    {%- set found = run_query(
        'select cast(min(landed_hour) as varchar), cast(max(landed_hour) as varchar) from ' ~ relation
        ~ ' where session_key in (' ~ sessions ~ ')'
    ).rows[0] -%}
    {{ return(found.values() if found[0] is not none else none) }}
{%- endmacro %}

{#
    The end of a model with rows of sessions. In an increment a touched session of which nothing is
    left comes as a row without a line, so that its earlier rows go; a hook deletes that row.
#}
{% macro rows_of_touched_sessions(cte, columns) -%}
    {% if is_incremental() -%}
        select
            touched.session_key,
            {% for column in columns -%}
            {{ cte }}.{{ column }}{{ ',' if not loop.last }}
            {% endfor -%}
        from touched
        left join {{ cte }} on touched.session_key = {{ cte }}.session_key
    {%- else -%}
        select
            session_key,
            {{ columns | join(',\n            ') }}
        from {{ cte }}
    {%- endif %}
{%- endmacro %}

{# Deletes the rows that stood for what has no rows any more: a column is null that is never null elsewhere. #}
{% macro delete_rows_without(column) -%}
    {% if is_incremental() %}
        delete from {{ this }} where {{ column }} is null
    {% endif %}
{%- endmacro %}

{# The ids of loads as one sorted list, and back. #}
{% macro list_of_loads(load_id) -%}
    {{ return(adapter.dispatch('list_of_loads', 'amplitude_lake')(load_id)) }}
{%- endmacro %}

{% macro default__list_of_loads(load_id) -%}
    list_sort(list(distinct {{ load_id }}))
{%- endmacro %}

{% macro snowflake__list_of_loads(load_id) -%}
    array_agg(distinct {{ load_id }}) within group (order by {{ load_id }})
{%- endmacro %}

{% macro loads_of_rows(relation, key) -%}
    {{ return(adapter.dispatch('loads_of_rows', 'amplitude_lake')(relation, key)) }}
{%- endmacro %}

{% macro default__loads_of_rows(relation, key) -%}
    select {{ key }}, unnest(load_ids) as load_id from {{ relation }}
{%- endmacro %}

{% macro snowflake__loads_of_rows(relation, key) -%}
    select r.{{ key }}, cast(f.value as varchar) as load_id from {{ relation }} as r, lateral flatten(input => r.load_ids) as f
{%- endmacro %}
