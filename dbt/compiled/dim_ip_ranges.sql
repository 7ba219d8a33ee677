with given as (
    select
        first_ip,
        last_ip,
        asn,
        company,
        kind
    from "amplitude"."ip_ranges"
    union
    select
        first_ip,
        last_ip,
        asn,
        company,
        kind
    from "analytics"."ip_ranges"
    where not exists (select 1 from "amplitude"."ip_ranges")
),

with_first as (
    select
        first_ip,
        last_ip,
        asn,
        company,
        kind,
        case
            when left_digits is null then null
            when has_gap and length(left_digits || right_digits) <= 28 then left_digits || repeat('0', 32 - length(left_digits || right_digits)) || right_digits
            when not has_gap and length(left_digits) = 32 then left_digits
        end as first_digits
    from (
        select
            first_ip,
            last_ip,
            asn,
            company,
            kind,
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
                            lower(split_part(trim(first_ip), '%', 1)) as bare_address
                        from given
                    ) as trimmed
                ) as found
            ) as grouped
        ) as checked
    ) as halves
),

with_both as (
    select
        first_ip,
        last_ip,
        asn,
        company,
        kind,
        first_digits,
        case
            when left_digits is null then null
            when has_gap and length(left_digits || right_digits) <= 28 then left_digits || repeat('0', 32 - length(left_digits || right_digits)) || right_digits
            when not has_gap and length(left_digits) = 32 then left_digits
        end as last_digits
    from (
        select
            first_ip,
            last_ip,
            asn,
            company,
            kind,
            first_digits,
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
                            lower(split_part(trim(last_ip), '%', 1)) as bare_address
                        from with_first
                    ) as trimmed
                ) as found
            ) as grouped
        ) as checked
    ) as halves
)

select
    md5(
        coalesce(cast(first_ip as varchar), chr(30)) || chr(31) ||
        coalesce(cast(last_ip as varchar), chr(30)) || chr(31) ||
        coalesce(cast(asn as varchar), chr(30)) || chr(31) ||
        coalesce(cast(company as varchar), chr(30)) || chr(31) ||
        coalesce(cast(kind as varchar), chr(30))
    ) as ip_range_key,
    first_ip,
    last_ip,
    asn,
    nullif(nullif(nullif(company, ''), 'EMPTY'), '*****') as company,
    coalesce(kind, 'unknown') as kind,
    first_digits,
    last_digits
from with_both
