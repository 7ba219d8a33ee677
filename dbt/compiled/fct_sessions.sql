with

events as (
    select
        ordered.session_key,
        ordered.nth_event,
        ordered.at_clock,
        ordered.event_time,
        ordered.kind,
        ordered.landed_hour,
        ordered.load_id,
        ordered.events_modelled_at,
        case when ordered.kind = 'click' then ordered.nth_event end as nth_click,
        ordered.site,
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
        max(device_id) as device_id,
        max(session_id) as session_id,
        max_by(amplitude_id, case when amplitude_id is not null then nth_event end) as amplitude_id,
        max_by(user_id, case when user_id is not null then nth_event end) as user_id,
        min_by(location_key, case when location_key is not null then nth_event end) as location_key,
        min_by(device_key, case when device_key is not null then nth_event end) as device_key,
        min_by(ip_address, case when ip_address is not null then nth_event end) as ip_address,
        min_by(event_time, nth_event) as started_at,
        max_by(event_time, nth_event) as ended_at,
        min_by(at_clock, nth_event) as first_clock,
        max_by(at_clock, nth_event) as last_clock,
        count(*) as events,
        count(case when kind = 'page view' then 1 end) as page_views,
        count(case when kind = 'click' then 1 end) as clicks,
        min_by(site, nth_click) as click_site,
        min(landed_hour) as first_landed_hour,
        max(landed_hour) as last_landed_hour,
        list_sort(list(distinct load_id)) as load_ids,
        max(events_modelled_at) as events_modelled_at
    from events
    group by session_key
),

views as (
    select
        session_key,
        nth,
        site,
        page,
        referring_domain,
        utm_source,
        utm_medium,
        utm_campaign
    from "analytics"."fct_page_views" as page_views
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
        exits.page as exit_page,
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
        counted.load_ids,
        counted.events_modelled_at
    from counted
    left join views as entries on counted.session_key = entries.session_key and entries.nth = 1
    left join views as exits on counted.session_key = exits.session_key and counted.page_views = exits.nth
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
