with steps as (
    select
        session_key,
        step,
        min_by(site, nth) as site,
        min_by(page, nth) as page
    from "analytics"."fct_page_views"
    where step is not null
    group by session_key, step
),

pairs as (
    select
        session_key,
        site,
        page as from_page,
        lead(site) over (partition by session_key order by step) as to_site,
        lead(page) over (partition by session_key order by step) as to_page
    from steps
),

named as (
    select
        session_key,
        site,
        from_page,
        coalesce(case
        when to_site is distinct from site and to_site is not null
            then to_site || case when left(to_page, 1) = '/' then '' else '/' end || to_page
        else to_page
    end, '(end)') as to_page
    from pairs
),

counted as (
    select
        site,
        from_page,
        to_page,
        count(*) as transitions,
        count(distinct session_key) as sessions
    from named
    group by site, from_page, to_page
)

select
    site,
    from_page,
    to_page,
    transitions,
    sessions,
    cast(transitions as double) / nullif(sum(transitions) over (partition by site, from_page), 0) as share
from counted
