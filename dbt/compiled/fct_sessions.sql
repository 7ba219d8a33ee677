with

events as (
    select
        ordered.session_key,
        ordered.nth_event,
        ordered.at_clock,
        ordered.event_time,
        ordered.kind,
        ordered.landed_hour,
        ordered.events_modelled_at,
        ordered.site,
        ordered.page,
        facts.device_id,
        facts.session_id,
        facts.amplitude_id,
        facts.user_id,
        facts.location_key,
        facts.device_key,
        facts.ip_address
    from "analytics"."int_amplitude__session_events" as ordered
    inner join "analytics"."fct_events" as facts
        on
            ordered.session_key = facts.session_key
            and ordered.landed_hour = facts.landed_hour
            and ordered.landed_line = facts.landed_line
),

counted as (
    select
        session_key,
        max(device_id) over (
            partition by session_key
            order by nth_event
            rows between unbounded preceding and unbounded following
        ) as device_id,
        max(session_id) over (
            partition by session_key
            order by nth_event
            rows between unbounded preceding and unbounded following
        ) as session_id,
        last_value(amplitude_id ignore nulls) over (
            partition by session_key
            order by nth_event
            rows between unbounded preceding and unbounded following
        ) as amplitude_id,
        last_value(user_id ignore nulls) over (
            partition by session_key
            order by nth_event
            rows between unbounded preceding and unbounded following
        ) as user_id,
        first_value(location_key ignore nulls) over (
            partition by session_key
            order by nth_event
            rows between unbounded preceding and unbounded following
        ) as location_key,
        first_value(device_key ignore nulls) over (
            partition by session_key
            order by nth_event
            rows between unbounded preceding and unbounded following
        ) as device_key,
        first_value(ip_address ignore nulls) over (
            partition by session_key
            order by nth_event
            rows between unbounded preceding and unbounded following
        ) as ip_address,
        first_value(event_time ignore nulls) over (
            partition by session_key
            order by nth_event
            rows between unbounded preceding and unbounded following
        ) as started_at,
        last_value(event_time ignore nulls) over (
            partition by session_key
            order by nth_event
            rows between unbounded preceding and unbounded following
        ) as ended_at,
        first_value(at_clock ignore nulls) over (
            partition by session_key
            order by nth_event
            rows between unbounded preceding and unbounded following
        ) as first_clock,
        last_value(at_clock ignore nulls) over (
            partition by session_key
            order by nth_event
            rows between unbounded preceding and unbounded following
        ) as last_clock,
        count(*) over (
            partition by session_key
            order by nth_event
            rows between unbounded preceding and unbounded following
        ) as events,
        count(case when kind = 'page view' then 1 end) over (
            partition by session_key
            order by nth_event
            rows between unbounded preceding and unbounded following
        ) as page_views,
        count(case when kind = 'click' then 1 end) over (
            partition by session_key
            order by nth_event
            rows between unbounded preceding and unbounded following
        ) as clicks,
        first_value(case when kind = 'click' then site end ignore nulls) over (
            partition by session_key
            order by nth_event
            rows between unbounded preceding and unbounded following
        ) as click_site,

        last_value(case when kind = 'page view' then coalesce(page, chr(31)) end ignore nulls) over (
            partition by session_key
            order by nth_event
            rows between unbounded preceding and unbounded following
        ) as exit_page,
        min(landed_hour) over (
            partition by session_key
            order by nth_event
            rows between unbounded preceding and unbounded following
        ) as first_landed_hour,
        max(landed_hour) over (
            partition by session_key
            order by nth_event
            rows between unbounded preceding and unbounded following
        ) as last_landed_hour,
        max(events_modelled_at) over (
            partition by session_key
            order by nth_event
            rows between unbounded preceding and unbounded following
        ) as events_modelled_at
    from events
    qualify row_number() over (partition by session_key order by nth_event) = 1
),

loads_of_events as (
    select
        session_key,
        load_id
    from "analytics"."int_amplitude__session_events" as loaded
    group by session_key, load_id
),

loads as (
    select
        session_key,
        list_sort(list(distinct load_id)) as load_ids
    from loads_of_events
    group by session_key
),

entries as (
    select
        session_key,
        site,
        page,
        referring_domain,
        utm_source,
        utm_medium,
        utm_campaign
    from "analytics"."fct_page_views" as page_views
    where nth = 1
),

described as (
    select
        counted.session_key,
        counted.device_id,
        counted.session_id,
        counted.amplitude_id,
        counted.user_id,
        counted.started_at,
        counted.ended_at,
        cast(datediff('microsecond', counted.first_clock, counted.last_clock) as double) / 1000000 as seconds,
        counted.events,
        counted.page_views,
        counted.clicks,
        coalesce(entries.site, counted.click_site) as site,
        entries.page as entry_page,
        nullif(counted.exit_page, chr(31)) as exit_page,
        counted.page_views = 1 as is_bounce,
        counted.clicks > 0 as has_click,
        entries.referring_domain,
        entries.utm_source,
        entries.utm_medium,
        entries.utm_campaign,
        counted.location_key,
        counted.device_key,
        counted.ip_address,
        counted.first_landed_hour,
        counted.last_landed_hour,
        loads.load_ids,
        counted.events_modelled_at
    from counted
    inner join loads on counted.session_key = loads.session_key
    left join entries on counted.session_key = entries.session_key
)

select
            session_key,
            device_id,
            session_id,
            amplitude_id,
            user_id,
            started_at,
            ended_at,
            seconds,
            events,
            page_views,
            clicks,
            site,
            entry_page,
            exit_page,
            is_bounce,
            has_click,
            referring_domain,
            utm_source,
            utm_medium,
            utm_campaign,
            location_key,
            device_key,
            ip_address,
            first_landed_hour,
            last_landed_hour,
            load_ids,
            events_modelled_at
        from described
