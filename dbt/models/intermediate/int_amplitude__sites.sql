with named as (
    select
        {{ tidy_host('host') }} as host,
        case when trim(path_prefix, '/') = '' then '' else '/' || trim(path_prefix, '/') end as path_prefix,
        site
    from {{ ref('sites') }}
),

counted as (
    select
        host,
        path_prefix,
        length(path_prefix) - length(replace(path_prefix, '/', '')) as segments,
        min(site) as site
    from named
    group by host, path_prefix
)

select
    host,
    path_prefix,
    segments,
    site
from counted
