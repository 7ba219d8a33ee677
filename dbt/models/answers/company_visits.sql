{%- set group_names = [var('company_group')] -%}

with groups as (
    select
        ordered.session_key,
        min_by(
            coalesce({{ json_text('facts.groups', group_names + [0]) }}, {{ json_text('facts.groups', group_names) }}),
            ordered.nth_event
        ) as company
    from {{ ref('int_amplitude__session_events') }} as ordered
    inner join {{ ref('fct_events') }} as facts
        on
            ordered.landed_hour = facts.landed_hour
            and ordered.landed_line = facts.landed_line
    where {{ json_text('facts.groups', group_names) }} is not null and {{ json_text('facts.groups', group_names) }} <> '[]'
    group by ordered.session_key
),

addresses as (
    select ip_address
    from {{ ref('fct_sessions') }}
    where ip_address is not null
    group by ip_address
),

addresses_as_digits as (
    {{ select_with_digits('addresses', ['ip_address'], 'ip_address', 'digits') }}
),

{# Of ranges that overlap, the one that begins last, then ends first. #}
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
    inner join {{ ref('dim_ip_ranges') }} as ranges
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
    from {{ ref('fct_sessions') }} as sessions
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
    from {{ ref('fct_page_views') }} as views
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
        {{ same('companies', 'pages', ['company', 'kind', 'evidence']) }}
        and pages.nth = 1
