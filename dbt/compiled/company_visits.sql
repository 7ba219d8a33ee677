with groups as (
    select
        ordered.session_key,
        min_by(
            coalesce(json_extract_string(facts.groups, '$."company"[0]'), json_extract_string(facts.groups, '$."company"')),
            ordered.nth_event
        ) as company
    from "analytics"."int_amplitude__session_events" as ordered
    inner join "analytics"."fct_events" as facts
        on
            ordered.landed_hour = facts.landed_hour
            and ordered.landed_line = facts.landed_line
    where json_extract_string(facts.groups, '$."company"') is not null and json_extract_string(facts.groups, '$."company"') <> '[]'
    group by ordered.session_key
),

addresses as (
    select ip_address
    from "analytics"."fct_sessions"
    where ip_address is not null
    group by ip_address
),

addresses_as_digits as (
    select
        ip_address,
        case
            when left_digits is null then null
            when has_gap and length(left_digits || right_digits) <= 28 then left_digits || repeat('0', 32 - length(left_digits || right_digits)) || right_digits
            when not has_gap and length(left_digits) = 32 then left_digits
        end as digits
    from (
        select
            ip_address,
            has_gap,
            case
                when is_well_formed
                    then case when split_part(split_part(groups_of_digits, '::', 1), ':', 1) = '' then '' else lpad(split_part(split_part(groups_of_digits, '::', 1), ':', 1), 4, '0') end
                || case when split_part(split_part(groups_of_digits, '::', 1), ':', 2) = '' then '' else lpad(split_part(split_part(groups_of_digits, '::', 1), ':', 2), 4, '0') end
                || case when split_part(split_part(groups_of_digits, '::', 1), ':', 3) = '' then '' else lpad(split_part(split_part(groups_of_digits, '::', 1), ':', 3), 4, '0') end
                || case when split_part(split_part(groups_of_digits, '::', 1), ':', 4) = '' then '' else lpad(split_part(split_part(groups_of_digits, '::', 1), ':', 4), 4, '0') end
                || case when split_part(split_part(groups_of_digits, '::', 1), ':', 5) = '' then '' else lpad(split_part(split_part(groups_of_digits, '::', 1), ':', 5), 4, '0') end
                || case when split_part(split_part(groups_of_digits, '::', 1), ':', 6) = '' then '' else lpad(split_part(split_part(groups_of_digits, '::', 1), ':', 6), 4, '0') end
                || case when split_part(split_part(groups_of_digits, '::', 1), ':', 7) = '' then '' else lpad(split_part(split_part(groups_of_digits, '::', 1), ':', 7), 4, '0') end
                || case when split_part(split_part(groups_of_digits, '::', 1), ':', 8) = '' then '' else lpad(split_part(split_part(groups_of_digits, '::', 1), ':', 8), 4, '0') end
            end as left_digits,
            case when split_part(split_part(groups_of_digits, '::', 2), ':', 1) = '' then '' else lpad(split_part(split_part(groups_of_digits, '::', 2), ':', 1), 4, '0') end
                || case when split_part(split_part(groups_of_digits, '::', 2), ':', 2) = '' then '' else lpad(split_part(split_part(groups_of_digits, '::', 2), ':', 2), 4, '0') end
                || case when split_part(split_part(groups_of_digits, '::', 2), ':', 3) = '' then '' else lpad(split_part(split_part(groups_of_digits, '::', 2), ':', 3), 4, '0') end
                || case when split_part(split_part(groups_of_digits, '::', 2), ':', 4) = '' then '' else lpad(split_part(split_part(groups_of_digits, '::', 2), ':', 4), 4, '0') end
                || case when split_part(split_part(groups_of_digits, '::', 2), ':', 5) = '' then '' else lpad(split_part(split_part(groups_of_digits, '::', 2), ':', 5), 4, '0') end
                || case when split_part(split_part(groups_of_digits, '::', 2), ':', 6) = '' then '' else lpad(split_part(split_part(groups_of_digits, '::', 2), ':', 6), 4, '0') end
                || case when split_part(split_part(groups_of_digits, '::', 2), ':', 7) = '' then '' else lpad(split_part(split_part(groups_of_digits, '::', 2), ':', 7), 4, '0') end
                || case when split_part(split_part(groups_of_digits, '::', 2), ':', 8) = '' then '' else lpad(split_part(split_part(groups_of_digits, '::', 2), ':', 8), 4, '0') end as right_digits
        from (
            select
                *,
                groups_of_digits like '%::%' as has_gap,
                regexp_matches(groups_of_digits, '^[0-9a-f:]+$')
                and not regexp_matches(groups_of_digits, '[0-9a-f]{5}|:::|::.*::|^:[^:]|[^:]:$') as is_well_formed
            from (
                select
                    *,
                    case
                        when quad is null then bare_address
                        when
                            coalesce(try_cast(split_part(quad, '.', 1) as integer), 256) <= 255 and
                            coalesce(try_cast(split_part(quad, '.', 2) as integer), 256) <= 255 and
                            coalesce(try_cast(split_part(quad, '.', 3) as integer), 256) <= 255 and
                            coalesce(try_cast(split_part(quad, '.', 4) as integer), 256) <= 255
                            then
                                case when bare_address = quad then '::ffff:' else left(bare_address, length(bare_address) - length(quad)) end
                                || substr('0123456789abcdef', cast(floor(cast(split_part(quad, '.', 1) as integer) / 16) as integer) + 1, 1) || substr('0123456789abcdef', cast(split_part(quad, '.', 1) as integer) % 16 + 1, 1) || substr('0123456789abcdef', cast(floor(cast(split_part(quad, '.', 2) as integer) / 16) as integer) + 1, 1) || substr('0123456789abcdef', cast(split_part(quad, '.', 2) as integer) % 16 + 1, 1)
                                || ':'
                                || substr('0123456789abcdef', cast(floor(cast(split_part(quad, '.', 3) as integer) / 16) as integer) + 1, 1) || substr('0123456789abcdef', cast(split_part(quad, '.', 3) as integer) % 16 + 1, 1) || substr('0123456789abcdef', cast(floor(cast(split_part(quad, '.', 4) as integer) / 16) as integer) + 1, 1) || substr('0123456789abcdef', cast(split_part(quad, '.', 4) as integer) % 16 + 1, 1)
                    end as groups_of_digits
                from (
                    select
                        *,
                        nullif(regexp_extract(bare_address, '^([0-9a-f:]*:)?([0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3})$', 2), '') as quad
                    from (
                        select
                            *,
                            lower(split_part(trim(ip_address), '%', 1)) as bare_address
                        from addresses
                    ) as trimmed
                ) as found
            ) as grouped
        ) as checked
    ) as halves
),

networks as (
    select
        addresses_as_digits.ip_address,
        ranges.company,
        ranges.kind,
        row_number() over (
            partition by addresses_as_digits.ip_address
            order by ranges.first_digits desc, ranges.last_digits, ranges.company, ranges.kind, ranges.ip_range_key
        ) as nth
    from addresses_as_digits
    inner join "analytics"."dim_ip_ranges" as ranges
        on
            addresses_as_digits.digits >= ranges.first_digits
            and addresses_as_digits.digits <= ranges.last_digits
    where ranges.company is not null
),

sessions as (
    select
        sessions.session_key,
        coalesce(groups.company, networks.company) as company,
        case when groups.company is null then networks.kind end as kind,
        case
            when groups.company is not null then 'group'
            when networks.company is not null then 'network'
        end as evidence,
        coalesce(
            'device' || chr(31) || sessions.device_id,
            'amplitude' || chr(31) || cast(sessions.amplitude_id as varchar)
        ) as visitor,
        sessions.page_views,
        sessions.started_at,
        sessions.ended_at
    from "analytics"."fct_sessions" as sessions
    left join groups on sessions.session_key = groups.session_key
    left join networks on sessions.ip_address = networks.ip_address and networks.nth = 1
),

companies as (
    select
        company,
        kind,
        evidence,
        count(*) as sessions,
        count(distinct visitor) as visitors,
        cast(sum(page_views) as bigint) as page_views,
        min(started_at) as first_seen,
        max(ended_at) as last_seen
    from sessions
    group by company, kind, evidence
),

pages as (
    select
        sessions.company,
        sessions.kind,
        sessions.evidence,
        views.page,
        row_number() over (
            partition by sessions.company, sessions.kind, sessions.evidence
            order by count(distinct views.session_key) desc, views.page
        ) as nth
    from "analytics"."fct_page_views" as views
    inner join sessions on views.session_key = sessions.session_key
    where views.page is not null
    group by sessions.company, sessions.kind, sessions.evidence, views.page
)

select
    companies.company,
    companies.kind,
    companies.evidence,
    companies.sessions,
    companies.visitors,
    companies.page_views,
    companies.first_seen,
    companies.last_seen,
    pages.page as top_page
from companies
left join pages
    on
        companies.company is not distinct from pages.company
        and companies.kind is not distinct from pages.kind
        and companies.evidence is not distinct from pages.evidence
        and pages.nth = 1
