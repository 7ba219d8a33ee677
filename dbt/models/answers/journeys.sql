{%- set longest = var('journey_steps') -%}

with steps as (
    select
        session_key,
        step,
        min_by(site, nth) as site,
        min_by(page, nth) as page
    from {{ ref('fct_page_views') }}
    where step is not null
    group by session_key, step
),

named_steps as (
    select
        steps.session_key,
        entries.site,
        steps.step,
        {{ page_of_site('steps.site', 'steps.page', 'entries.site') }} as page
    from steps
    inner join steps as entries on steps.session_key = entries.session_key and entries.step = 1
),

journeys_of_sessions as (
    select
        session_key,
        site,
        max(case when step = 1 then page end)
        {%- for n in range(2, longest + 1) %}
        || coalesce(' > ' || max(case when step = {{ n }} then page end), '')
        {%- endfor %} as journey,
        max(step) as steps
    from named_steps
    group by session_key, site
),

journeys_of_sites as (
    select
        site,
        journey,
        least(max(steps), {{ longest }}) as steps,
        max(steps) > {{ longest }} as is_cut,
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
    {{ share_of('sessions', 'sum(sessions) over (partition by site)') }} as share
from journeys_of_sites
