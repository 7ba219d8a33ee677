{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='landed_hour',
    on_schema_change='fail',
    post_hook='{{ delete_rows_of_vanished_loads() }}',
) }}

with lines as (
    {{ lines() }}
)

select
    landed_hour,
    load_id,
    count(*) as lines,
    {{ count_where('not is_event') }} as malformed
from lines
{%- if is_incremental() %}
where landed_hour in ({{ hours_not_modelled() }})
{%- endif %}
group by landed_hour, load_id
