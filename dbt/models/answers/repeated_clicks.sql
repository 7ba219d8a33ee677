with devices_of_sessions as (
    select
        sessions.session_key,
        devices.device_type
    from {{ ref('fct_sessions') }} as sessions
    inner join {{ ref('dim_devices') }} as devices on sessions.device_key = devices.device_key
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
    from {{ ref('fct_clicks') }} as clicks
    left join devices_of_sessions on clicks.session_key = devices_of_sessions.session_key
    where not clicks.is_text_field
),

{# What the SDK reports says what an element is only where no click does. #}
weighed as (
    select
        *,
        source = 'element'
        or {{ count_where("source = 'element'") }} over (partition by site, page, element, device_type) = 0 as is_telling
    from clicks
),

targets as (
    select
        site,
        page,
        element,
        device_type,
        {{ any_row('is_telling and is_repeatable') }} as is_repeatable,
        {{ count_where("source = 'element'") }} as clicks,
        count(distinct case when source = 'element' then session_key end) as sessions,
        {{ count_where("source = 'sdk rage'") }} as sdk_rage_clicks,
        {{ count_where("source = 'sdk dead'") }} as sdk_dead_clicks
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
        {{ count_where('bursts.is_rage_3') }} as rage_bursts_3,
        {{ count_where('bursts.is_rage_4') }} as rage_bursts_4,
        count(distinct case when bursts.is_rage_3 then bursts.session_key end) as rage_sessions,
        max(bursts.clicks) as longest_burst
    from {{ ref('int_amplitude__bursts') }} as bursts
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
    {{ share_of('coalesce(bursts.rage_sessions, 0)', 'targets.sessions') }} as rage_share,
    coalesce(bursts.longest_burst, 0) as longest_burst,
    targets.sdk_rage_clicks,
    targets.sdk_dead_clicks
from targets
inner join labels
    on
        {{ same('labels', 'targets', ['site', 'page', 'element', 'device_type']) }}
        and labels.nth = 1
left join bursts
    on
        {{ same('bursts', 'targets', ['site', 'page', 'element', 'device_type']) }}
