{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='session_key',
    on_schema_change='fail',
    post_hook="{{ delete_rows_without('nth_event') }}",
) }}

-- depends_on: {{ ref('int_amplitude__session_events') }}

{# Each choice in a menu, with what its visitor did once the item's page was there. #}
{%- if is_incremental() -%}
    {%- set touched -%}
    select session_key
    from ({{ rewritten_sessions() }}) as rewritten
    where
        session_key in (select session_key from {{ ref('fct_clicks') }} where menu is not null)
        or session_key in (select session_key from {{ this }})
    {%- endset -%}
    {%- set hours = hours_of_sessions(ref('int_amplitude__session_events'), touched) -%}
{%- endif %}

with
{%- if is_incremental() %}
touched as (
    {{ touched }}
),
{% endif %}

page_views as (
    select * from {{ rows_to_read(ref('fct_page_views')) }} as views_to_read
),

clicks as (
    select * from {{ rows_to_read(ref('fct_clicks')) }} as clicks_to_read
),

searches as (
    select * from {{ rows_to_read(ref('int_amplitude__searches'), hours) }} as searches_to_read
),

acts as (
    select
        session_key,
        nth_event,
        1 as is_view,
        0 as is_click
    from page_views
    where page is not null
    union all
    select
        session_key,
        nth_event,
        0 as is_view,
        1 as is_click
    from clicks
    where source = 'element'
    union all
    select
        session_key,
        nth_event,
        0 as is_view,
        0 as is_click
    from searches
    where not is_page_view
),

{# Summed over both, an event that is a view or click and a search counts once. #}
events as (
    select
        session_key,
        nth_event,
        max(is_view) as is_view,
        max(is_click) as is_click
    from acts
    group by session_key, nth_event
),

{# How many views and clicks came so far, to tell whether any lie between two events. #}
counts as (
    select
        session_key,
        nth_event,
        is_view,
        sum(is_view) over (
            partition by session_key
            order by nth_event
            rows between unbounded preceding and current row
        ) as views_so_far,
        sum(is_click) over (
            partition by session_key
            order by nth_event
            rows between unbounded preceding and current row
        ) as clicks_so_far,
        sum(is_click) over (partition by session_key) as clicks_of_session
    from events
),

views as (
    select
        views.session_key,
        views.nth_event,
        views.at_clock,
        views.site,
        views.page,
        views.is_redirect,
        counts.views_so_far,
        counts.clicks_so_far,
        counts.clicks_of_session,
        lead(views.nth_event) over (partition by views.session_key order by views.nth_event) as next_nth_event,
        lead(views.at_clock) over (partition by views.session_key order by views.nth_event) as next_at_clock,
        lead(views.site) over (partition by views.session_key order by views.nth_event) as next_site,
        lead(views.page) over (partition by views.session_key order by views.nth_event) as next_page,
        lead(counts.clicks_so_far) over (partition by views.session_key order by views.nth_event) as next_clicks_so_far
    from page_views as views
    inner join counts on views.session_key = counts.session_key and views.nth_event = counts.nth_event
    where views.page is not null
),

choices as (
    select
        session_key,
        nth_event,
        at_clock,
        site,
        page,
        menu,
        label as item,
        href_page,
        session_modelled_at
    from clicks
    where source = 'element' and not is_menu_opener
),

items as (
    select * from choices where menu <> 'footer'
),

views_after_items as (
    select
        items.session_key,
        items.nth_event,
        items.site,
        items.page,
        items.menu,
        items.item,
        views.nth_event as view_nth_event,
        views.at_clock as view_clock,
        views.views_so_far,
        coalesce(
            views.next_site is not distinct from items.site
            and views.next_page = items.page
            and views.next_clicks_so_far = views.clicks_so_far
            and {{ seconds_between('views.at_clock', 'views.next_at_clock') }} <= {{ var('return_seconds') }},
            false
        ) as is_return,
        views.next_nth_event is null and views.clicks_so_far = views.clicks_of_session as is_abandonment,
        row_number() over (partition by items.session_key, items.nth_event order by views.nth_event) as nth_view
    from items
    inner join views
        on
            items.session_key = views.session_key
            and items.nth_event < views.nth_event
            and {{ seconds_between('items.at_clock', 'views.at_clock') }} <= {{ var('item_view_seconds') }}
            and (views.page is distinct from items.page or views.site is distinct from items.site)
    where not views.is_redirect
),

item_views as (
    select * from views_after_items where nth_view = 1
),

clicks_after_views as (
    select
        item_views.session_key,
        item_views.nth_event,
        coalesce(
            choices.site is not distinct from item_views.site
            and choices.menu = item_views.menu
            and choices.item is distinct from item_views.item
            and {{ seconds_between('item_views.view_clock', 'choices.at_clock') }} <= {{ var('second_guess_seconds') }},
            false
        ) as is_second_guess,
        row_number() over (
            partition by item_views.session_key, item_views.nth_event
            order by choices.nth_event
        ) as nth_click
    from item_views
    inner join choices
        on
            item_views.session_key = choices.session_key
            and item_views.view_nth_event < choices.nth_event
),

searched as (
    select
        item_views.session_key,
        item_views.nth_event
    from item_views
    inner join searches
        on
            item_views.session_key = searches.session_key
            and item_views.view_nth_event < searches.nth_event
            and {{ seconds_between('item_views.view_clock', 'searches.at_clock') }} <= {{ var('search_seconds') }}
    inner join counts on searches.session_key = counts.session_key and searches.nth_event = counts.nth_event
    where counts.views_so_far - counts.is_view - item_views.views_so_far <= {{ var('search_page_views') }}
    group by item_views.session_key, item_views.nth_event
),

described as (
    select
        items.session_key,
        items.nth_event,
        items.at_clock,
        items.site,
        items.page,
        items.menu,
        items.item,
        items.href_page,
        coalesce(clicks_after_views.is_second_guess, false) as is_second_guess,
        coalesce(item_views.is_return, false) as is_return,
        searched.nth_event is not null as is_search,
        coalesce(item_views.is_abandonment, false) as is_abandonment,
        items.session_modelled_at
    from items
    left join item_views
        on items.session_key = item_views.session_key and items.nth_event = item_views.nth_event
    left join clicks_after_views
        on
            items.session_key = clicks_after_views.session_key
            and items.nth_event = clicks_after_views.nth_event
            and clicks_after_views.nth_click = 1
    left join searched
        on items.session_key = searched.session_key and items.nth_event = searched.nth_event
)

{{ rows_of_touched_sessions('described', [
    'nth_event', 'at_clock', 'site', 'page', 'menu', 'item', 'href_page', 'is_second_guess', 'is_return', 'is_search',
    'is_abandonment', 'session_modelled_at',
]) }}
