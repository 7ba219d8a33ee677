-- What was loaded is either an event or malformed.
with counts as (
    select
        (select coalesce(sum(events), 0) from {{ source('amplitude', 'loads') }}) as loaded,
        (select count(*) from {{ ref('fct_events') }}) as events,
        (select count(*) from {{ ref('stg_amplitude__malformed') }}) as malformed
)

select *
from counts
where loaded <> events + malformed
