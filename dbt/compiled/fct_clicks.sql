-- depends_on: "analytics"."fct_events"

with

all_clicks as (
    select
        events.session_key,
        events.landed_hour,
        events.landed_line,
        events.load_id,
        events.nth_event,
        events.event_time as clicked_at,
        events.at_clock,
        events.site,
        events.page,
        events.kind,
        events.session_modelled_at,
        details.page_view_id,

        coalesce(
            'view' || chr(31) || details.page_view_id,
            'page' || chr(31) || coalesce(events.site, '') || chr(31) || coalesce(events.page, '')
        ) as place,
        details.element,
        details.label,
        details.tag,
        details.href,
        details.href_page,
        details.menu,
        details.is_repeatable,
        details.is_text_field,
        details.is_like_opener
        and not coalesce(
            events.next_view_clock <= events.at_clock + interval '1000 milliseconds',
            false
        ) as is_menu_opener
    from "analytics"."int_amplitude__session_events" as events
    inner join "analytics"."int_amplitude__clicks" as details
        on
            events.session_key = details.session_key
            and events.landed_hour = details.landed_hour
            and events.landed_line = details.landed_line
    where events.kind in ('click', 'sdk rage', 'sdk dead')
),

gaps as (
    select
        *,
        coalesce(
            at_clock <= lag(at_clock) over (partition by session_key, place, element order by nth_event)
            + interval '1000 milliseconds',
            false
        ) as follows,
        coalesce(
            lead(at_clock) over (partition by session_key, place, element order by nth_event)
            <= at_clock + interval '1000 milliseconds',
            false
        ) as is_followed
    from all_clicks
    where kind = 'click'
),

bursts as (
    select
        *,
        case
            when follows or is_followed
                then sum(case when is_followed and not follows then 1 else 0 end) over (
                    partition by session_key, place, element
                    order by nth_event
                    rows between unbounded preceding and current row
                )
        end as burst
    from gaps
),

nearest as (
    select
        signals.landed_hour,
        signals.landed_line,
        bursts.site,
        bursts.page,
        bursts.element,
        bursts.is_text_field,
        row_number() over (
            partition by signals.landed_hour, signals.landed_line
            order by abs(datediff('microsecond', bursts.at_clock, signals.at_clock)), bursts.nth_event
        ) as nth_nearest
    from all_clicks as signals
    inner join bursts
        on
            signals.session_key = bursts.session_key
            and signals.place = bursts.place
            and signals.at_clock <= bursts.at_clock + interval '1000 milliseconds'
            and signals.at_clock >= bursts.at_clock - interval '1000 milliseconds'
    where signals.kind <> 'click'
),

described as (
    select
        session_key,
        landed_hour,
        landed_line,
        load_id,
        nth_event,
        clicked_at,
        at_clock,
        site,
        page,
        page_view_id,
        element,
        label,
        tag,
        href,
        href_page,
        menu,
        is_menu_opener,
        is_repeatable,
        is_text_field,
        cast(burst as bigint) as burst,
        'element' as source,
        session_modelled_at
    from bursts
    union all
    select
        signals.session_key,
        signals.landed_hour,
        signals.landed_line,
        signals.load_id,
        signals.nth_event,
        signals.clicked_at,
        signals.at_clock,
        case when nearest.element is null then signals.site else nearest.site end as site,
        case when nearest.element is null then signals.page else nearest.page end as page,
        signals.page_view_id,
        coalesce(nearest.element, signals.element) as element,
        signals.label,
        signals.tag,
        signals.href,
        signals.href_page,
        signals.menu,
        signals.is_menu_opener,
        signals.is_repeatable,
        coalesce(nearest.is_text_field, signals.is_text_field) as is_text_field,
        cast(null as bigint) as burst,
        signals.kind as source,
        signals.session_modelled_at
    from all_clicks as signals
    left join nearest
        on
            signals.landed_hour = nearest.landed_hour
            and signals.landed_line = nearest.landed_line
            and nearest.nth_nearest = 1
    where signals.kind <> 'click'
)

select
            session_key,
            landed_hour,
            landed_line,
            load_id,
            nth_event,
            clicked_at,
            at_clock,
            site,
            page,
            page_view_id,
            element,
            label,
            tag,
            href,
            href_page,
            menu,
            is_menu_opener,
            is_repeatable,
            is_text_field,
            burst,
            source,
            session_modelled_at
        from described
