with named as (
    select
        lower(nullif(regexp_extract(host, '^(www[.])?([^:/?#]+)', 2, 'i'), '')) as host,
        case when trim(path_prefix, '/') = '' then '' else '/' || trim(path_prefix, '/') end as path_prefix,
        site
    from "analytics"."sites"
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
