{# Ends a run on a warehouse that `load` has not filled, such as the empty file that dbt makes where there is none. #}
{% macro refuse_without_loads() -%}
    {%- if execute and flags.WHICH in ('build', 'run', 'test') -%}
        {%- set loads = source('amplitude', 'loads') -%}
        {%- if adapter.get_relation(database=loads.database, schema=loads.schema, identifier=loads.identifier) is none -%}
            {{ exceptions.raise_compiler_error(
                'There are no loaded events in ' ~ (env_var('AMPLITUDE_LAKE_WAREHOUSE_FILE', 'lake.duckdb') if target.type == 'duckdb' else loads.database)
                ~ ': run `amplitude-lake load` first. If dbt has just made that file, delete it before'
            ) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
