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

named_steps as (
    select
        steps.session_key,
        entries.site,
        steps.step,
        case
        when steps.site is distinct from entries.site and steps.site is not null
            then steps.site || case when left(steps.page, 1) = '/' then '' else '/' end || steps.page
        else steps.page
    end as page
    from steps
    inner join steps as entries on steps.session_key = entries.session_key and entries.step = 1
),

journeys_of_sessions as (
    select
        session_key,
        site,
        max(case when step = 1 then page end)
        || coalesce(' > ' || max(case when step = 2 then page end), '')
        || coalesce(' > ' || max(case when step = 3 then page end), '')
        || coalesce(' > ' || max(case when step = 4 then page end), '')
        || coalesce(' > ' || max(case when step = 5 then page end), '') as journey,
        max(step) as steps
    from named_steps
    group by session_key, site
),

journeys_of_sites as (
    select
        site,
        journey,
        least(max(steps), 5) as steps,
        max(steps) > 5 as is_cut,
        count(*) as sessions
    from journeys_of_sessions
    group by site, journey
)

select
    site,
    journey,
    steps,
    is_cut,
    sessions,
    cast(sessions as double) / nullif(sum(sessions) over (partition by site), 0) as share
from journeys_of_sites
