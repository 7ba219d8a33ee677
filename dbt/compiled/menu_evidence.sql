with clicks as (
    select * from "analytics"."int_amplitude__menu_clicks"
),

items_and_menus as (
    select
        site,
        menu,
        item,
        session_key,
        is_second_guess,
        is_return,
        is_search,
        is_abandonment
    from clicks
    union all
    select
        site,
        menu,
        '(all)' as item,
        session_key,
        is_second_guess,
        is_return,
        is_search,
        is_abandonment
    from clicks
),

sessions as (
    select
        site,
        menu,
        item,
        session_key,
        count(*) as clicks,
        max(case when is_second_guess then 1 else 0 end) = 1 as is_second_guess,
        max(case when is_return then 1 else 0 end) = 1 as is_return,
        max(case when is_search then 1 else 0 end) = 1 as is_search,
        max(case when is_abandonment then 1 else 0 end) = 1 as is_abandonment,
        max(case when is_second_guess or is_return or is_search then 1 else 0 end) = 1 as is_evidence
    from items_and_menus
    group by site, menu, item, session_key
),

counted as (
    select
        site,
        menu,
        item,
        cast(sum(clicks) as bigint) as clicks,
        count(*) as sessions,
        count(case when is_second_guess then 1 end) as second_guesses,
        count(case when is_return then 1 end) as returns,
        count(case when is_search then 1 end) as searches,
        count(case when is_abandonment then 1 end) as abandonments,
        count(case when is_evidence then 1 end) as evidence
    from sessions
    group by site, menu, item
),

names as (
    select
        site,
        menu,
        item,
        'label' as kind,
        item as name
    from counted
    where item <> '(all)'
    union
    select
        site,
        menu,
        item,
        'path' as kind,
        href_page as name
    from clicks
    where href_page is not null
    union
    select
        counted.site,
        counted.menu,
        counted.item,
        'seed' as kind,
        menu_items.name
    from counted
    inner join "analytics"."menu_items" as menu_items
        on counted.site = menu_items.site and counted.item = menu_items.label
),

pairs as (
    select distinct
        here.site,
        here.menu,
        here.item,
        elsewhere.site as other_site,
        elsewhere.menu as other_menu,
        elsewhere.item as other_item
    from names as here
    inner join names as elsewhere
        on
            here.kind = elsewhere.kind
            and here.name = elsewhere.name
            and here.site is distinct from elsewhere.site
),

same_items_elsewhere as (
    select
        pairs.site,
        pairs.menu,
        pairs.item,
        sum(counted.evidence) as evidence,
        sum(counted.sessions) as sessions
    from pairs
    inner join counted
        on
            counted.site is not distinct from pairs.other_site
            and counted.menu = pairs.other_menu
            and counted.item = pairs.other_item
    group by pairs.site, pairs.menu, pairs.item
),

items_of_menus as (
    select
        site,
        menu,
        sum(evidence) as evidence,
        sum(sessions) as sessions
    from counted
    where item <> '(all)'
    group by site, menu
),

compared as (
    select
        counted.*,
        cast(counted.evidence as double) / nullif(counted.sessions, 0) as share,
        greatest(
        (counted.evidence + 1.920729440648e0) / nullif(counted.sessions + 3.841458881296e0, 3.841458881296e0) - 1.959964e0 * sqrt(
        cast(counted.evidence as double) * (counted.sessions - counted.evidence) / nullif(counted.sessions, 0) + 0.960364720324e0
    ) / nullif(counted.sessions + 3.841458881296e0, 3.841458881296e0),
        cast(0 as double)
    ) as share_low,
        least(
        (counted.evidence + 1.920729440648e0) / nullif(counted.sessions + 3.841458881296e0, 3.841458881296e0) + 1.959964e0 * sqrt(
        cast(counted.evidence as double) * (counted.sessions - counted.evidence) / nullif(counted.sessions, 0) + 0.960364720324e0
    ) / nullif(counted.sessions + 3.841458881296e0, 3.841458881296e0),
        cast(1 as double)
    ) as share_high,
        case
            when counted.item <> '(all)' and items_of_menus.sessions - counted.sessions >= 30
                then cast((items_of_menus.evidence - counted.evidence) as double) / nullif((items_of_menus.sessions - counted.sessions), 0)
        end as other_items_share,
        case
            when same_items_elsewhere.sessions >= 30
                then cast(same_items_elsewhere.evidence as double) / nullif(same_items_elsewhere.sessions, 0)
        end as same_item_elsewhere_share,
        case
            when counted.item <> '(all)' then items_of_menus.evidence - counted.evidence
        end as other_items_evidence,
        case
            when counted.item <> '(all)' then items_of_menus.sessions - counted.sessions
        end as other_items_sessions,
        same_items_elsewhere.evidence as same_item_elsewhere_evidence,
        same_items_elsewhere.sessions as same_item_elsewhere_sessions,
        counted.sessions >= 30 as is_enough
    from counted
    left join items_of_menus
        on counted.site is not distinct from items_of_menus.site
        and counted.menu is not distinct from items_of_menus.menu
    left join same_items_elsewhere
        on counted.site is not distinct from same_items_elsewhere.site
        and counted.menu is not distinct from same_items_elsewhere.menu
        and counted.item is not distinct from same_items_elsewhere.item
)

select
    site,
    menu,
    item,
    clicks,
    sessions,
    second_guesses,
    returns,
    searches,
    abandonments,
    evidence,
    share,
    share_low,
    share_high,
    other_items_share,
    same_item_elsewhere_share,
    is_enough,
    case
        when not is_enough or coalesce(other_items_share, same_item_elsewhere_share) is null then null
        else
            coalesce(share_low > other_items_share, true)
            and coalesce(share_low > same_item_elsewhere_share, true)
    end as is_above,
    cast(other_items_evidence as bigint) as other_items_evidence,
    cast(other_items_sessions as bigint) as other_items_sessions,
    cast(same_item_elsewhere_evidence as bigint) as same_item_elsewhere_evidence,
    cast(same_item_elsewhere_sessions as bigint) as same_item_elsewhere_sessions
from compared
