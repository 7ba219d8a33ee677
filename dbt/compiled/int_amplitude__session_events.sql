with

events as (
    select
        session_key,
        landed_hour,
        landed_line,
        load_id,
        modelled_at,
        event_id,
        event_type,
        event_time,
        coalesce(client_event_time, event_time) as client_clock,
        site,
        page,
        case
            when event_type in ('[Amplitude] Page Viewed', '[Amplitude] Screen Viewed') then 'page view'
            when
                event_type in ('[Amplitude] Element Clicked', '[Amplitude] Element Interacted')
                then 'click'
            when event_type = '[Amplitude] Rage Click' then 'sdk rage'
            when event_type = '[Amplitude] Dead Click' then 'sdk dead'
            else 'other'
        end as kind,
        element_tag,
        previous_site,
        previous_page
    from "analytics"."fct_events"
    where
        session_key is not null
        and not is_duplicate
        and coalesce(left(event_type, 1), '') <> '$'
        and coalesce(event_type, '') not in ('session_start', 'session_end')
),

corrections as (
    select
        clicks.landed_hour,
        clicks.landed_line,
        max(views.client_clock) as view_clock
    from events as clicks
    inner join events as views
        on
            clicks.session_key = views.session_key
            and clicks.page = views.previous_page
            and coalesce(clicks.site, '') = coalesce(views.previous_site, '')
    where
        clicks.kind = 'click'
        and clicks.element_tag in ('div', 'span', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6')
        and views.kind = 'page view'
        and views.client_clock <= clicks.client_clock
        and views.client_clock >= clicks.client_clock - interval '500 milliseconds'
    group by clicks.landed_hour, clicks.landed_line
),

clocked as (
    select
        events.*,
        coalesce(corrections.view_clock, events.client_clock) as at_clock
    from events
    left join corrections
        on events.landed_hour = corrections.landed_hour and events.landed_line = corrections.landed_line
),

ordered as (
    select
        *,
        row_number() over (
            partition by session_key
            order by
                at_clock nulls last,
                case when kind = 'click' then 0 else 1 end,
                event_id nulls last,
                landed_hour,
                landed_line
        ) as nth_event
    from clocked
),

followed as (
    select
        session_key,
        landed_hour,
        landed_line,
        load_id,
        event_type,
        kind,
        event_time,
        at_clock,
        nth_event,
        site,
        page,
        min(case when kind = 'page view' then at_clock end) over (
            partition by session_key
            order by nth_event desc
            rows between unbounded preceding and 1 preceding
        ) as next_view_clock,
        modelled_at as events_modelled_at,
        make_timestamp(epoch_us(current_timestamp)) as session_modelled_at
    from ordered
)

select
            session_key,
            landed_hour,
            landed_line,
            load_id,
            event_type,
            kind,
            event_time,
            at_clock,
            nth_event,
            site,
            page,
            next_view_clock,
            events_modelled_at,
            session_modelled_at
        from followed
