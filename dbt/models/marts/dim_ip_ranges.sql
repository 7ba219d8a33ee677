with given as (
    select
        first_ip,
        last_ip,
        asn,
        company,
        kind
    from {{ source('amplitude', 'ip_ranges') }}
    union
    select
        first_ip,
        last_ip,
        asn,
        company,
        kind
    from {{ ref('ip_ranges') }}
    where not exists (select 1 from {{ source('amplitude', 'ip_ranges') }})
),

with_first as (
    {{ select_with_digits('given', ['first_ip', 'last_ip', 'asn', 'company', 'kind'], 'first_ip', 'first_digits') }}
),

with_both as (
    {{ select_with_digits('with_first', ['first_ip', 'last_ip', 'asn', 'company', 'kind', 'first_digits'], 'last_ip', 'last_digits') }}
)

select
    {{ key_of(['first_ip', 'last_ip', 'asn', 'company', 'kind']) }} as ip_range_key,
    first_ip,
    last_ip,
    asn,
    {{ meaningful('company') }} as company,
    coalesce(kind, 'unknown') as kind,
    first_digits,
    last_digits
from with_both
