with devices_of_sessions as (
    select
        sessions.session_key,
        devices.device_type
    from "analytics"."fct_sessions" as sessions
    inner join "analytics"."dim_devices" as devices on sessions.device_key = devices.device_key
),

clicks as (
    select
        clicks.session_key,
        clicks.site,
        clicks.page,
        clicks.element,
        clicks.label,
        clicks.is_repeatable,
        clicks.source,
        devices_of_sessions.device_type
    from "analytics"."fct_clicks" as clicks
    left join devices_of_sessions on clicks.session_key = devices_of_sessions.session_key
    where not clicks.is_text_field
),

weighed as (
    select
        *,
        source = 'element'
        or count(case when source = 'element' then 1 end) over (partition by site, page, element, device_type) = 0 as is_telling
    from clicks
),

targets as (
    select
        site,
        page,
        element,
        device_type,
        max(case when is_telling and is_repeatable then 1 else 0 end) = 1 as is_repeatable,
        count(case when source = 'element' then 1 end) as clicks,
        count(distinct case when source = 'element' then session_key end) as sessions,
        count(case when source = 'sdk rage' then 1 end) as sdk_rage_clicks,
        count(case when source = 'sdk dead' then 1 end) as sdk_dead_clicks
    from weighed
    group by site, page, element, device_type
),

labels as (
    select
        site,
        page,
        element,
        device_type,
        label,
        row_number() over (
            partition by site, page, element, device_type
            order by
                case when label is null then 1 else 0 end,
                count(*) desc,
                label
        ) as nth
    from weighed
    where is_telling
    group by site, page, element, device_type, label
),

bursts as (
    select
        bursts.site,
        bursts.page,
        bursts.element,
        devices_of_sessions.device_type,
        count(*) as bursts,
        count(case when bursts.is_rage_3 then 1 end) as rage_bursts_3,
        count(case when bursts.is_rage_4 then 1 end) as rage_bursts_4,
        count(distinct case when bursts.is_rage_3 then bursts.session_key end) as rage_sessions,
        max(bursts.clicks) as longest_burst
    from "analytics"."int_amplitude__bursts" as bursts
    left join devices_of_sessions on bursts.session_key = devices_of_sessions.session_key
    group by bursts.site, bursts.page, bursts.element, devices_of_sessions.device_type
)

select
    targets.site,
    targets.page,
    targets.element,
    labels.label,
    targets.device_type,
    targets.is_repeatable,
    targets.clicks,
    targets.sessions,
    coalesce(bursts.bursts, 0) as bursts,
    coalesce(bursts.rage_bursts_3, 0) as rage_bursts_3,
    coalesce(bursts.rage_bursts_4, 0) as rage_bursts_4,
    coalesce(bursts.rage_sessions, 0) as rage_sessions,
    cast(coalesce(bursts.rage_sessions, 0) as double) / nullif(targets.sessions, 0) as rage_share,
    coalesce(bursts.longest_burst, 0) as longest_burst,
    targets.sdk_rage_clicks,
    targets.sdk_dead_clicks
from targets
inner join labels
    on
        labels.site is not distinct from targets.site
        and labels.page is not distinct from targets.page
        and labels.element is not distinct from targets.element
        and labels.device_type is not distinct from targets.device_type
        and labels.nth = 1
left join bursts
    on
        bursts.site is not distinct from targets.site
        and bursts.page is not distinct from targets.page
        and bursts.element is not distinct from targets.element
        and bursts.device_type is not distinct from targets.device_type
