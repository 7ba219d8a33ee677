with

acts as (
    select
        *,
        lead(kind) over (partition by session_key order by nth_event) as next_kind,
        lead(at_clock) over (partition by session_key order by nth_event) as next_act_clock
    from "analytics"."int_amplitude__session_events" as events
    where kind in ('page view', 'click')
),

views as (
    select
        acts.*,
        row_number() over (partition by session_key order by nth_event) as nth,
        lead(at_clock) over (partition by session_key order by nth_event) as next_clock,
        case
            when page is not null
                then lag(coalesce(site, '') || chr(31) || page) over (
                    partition by session_key, case when page is null then 0 else 1 end
                    order by nth_event
                )
        end as place_before
    from acts
    where kind = 'page view'
),

folded as (
    select
        *,
        case
            when page is not null
                then sum(case when page is not null and coalesce(site, '') || chr(31) || page is distinct from place_before then 1 else 0 end)
                    over (partition by session_key order by nth_event rows between unbounded preceding and current row)
        end as step
    from views
),

described as (
    select
        folded.session_key,
        folded.landed_hour,
        folded.landed_line,
        folded.load_id,
        folded.event_time as viewed_at,
        folded.at_clock,
        folded.nth_event,
        folded.site,
        folded.page,
        details.title,
        details.page_view_id,
        folded.nth,
        cast(folded.step as bigint) as step,
        cast(datediff('microsecond', folded.at_clock, folded.next_clock) as double) / 1000000 as seconds_to_next,
        details.referring_domain,
        details.utm_source,
        details.utm_medium,
        details.utm_campaign,
        coalesce(
            folded.next_kind = 'page view'
            and folded.next_act_clock <= folded.at_clock + interval '1000 milliseconds',
            false
        ) as is_redirect,
        folded.session_modelled_at
    from folded
    left join "analytics"."int_amplitude__page_views" as details
        on
            folded.session_key = details.session_key
            and folded.landed_hour = details.landed_hour
            and folded.landed_line = details.landed_line
)

select
            session_key,
            landed_hour,
            landed_line,
            load_id,
            nth_event,
            viewed_at,
            at_clock,
            site,
            page,
            title,
            page_view_id,
            nth,
            step,
            seconds_to_next,
            referring_domain,
            utm_source,
            utm_medium,
            utm_campaign,
            is_redirect,
            session_modelled_at
        from described
