{#
    The rows of `relation` with an IP address as 32 hexadecimal digits, IPv4 mapped into IPv6. As text
    these sort like the addresses, in both dialects. Null for what is no address.
#}
{% macro select_with_digits(relation, keep, address, digits) -%}
    select
        {{ keep | join(',\n        ') }},
        case
            when left_digits is null then null
            when has_gap and length(left_digits || right_digits) <= 28 then left_digits || repeat('0', 32 - length(left_digits || right_digits)) || right_digits
            when not has_gap and length(left_digits) = 32 then left_digits
        end as {{ digits }}
    from (
        select
            {{ keep | join(',\n            ') }},
            has_gap,
            case
                when is_well_formed
                    then {{ amplitude_lake.digits_of_groups("split_part(groups_of_digits, '::', 1)") }}
            end as left_digits,
            {{ amplitude_lake.digits_of_groups("split_part(groups_of_digits, '::', 2)") }} as right_digits
        from (
            select
                *,
                groups_of_digits like '%::%' as has_gap,
                {{ regexp_found('groups_of_digits', '^[0-9a-f:]+$') }}
                and not {{ regexp_found('groups_of_digits', '[0-9a-f]{5}|:::|::.*::|^:[^:]|[^:]:$') }} as is_well_formed
            from (
                select
                    *,
                    case
                        when quad is null then bare_address
                        {%- set octets = "split_part(quad, '.', {})" %}
                        when
                            {%- for n in range(1, 5) %}
                            coalesce(try_cast(split_part(quad, '.', {{ n }}) as integer), 256) <= 255{{ ' and' if not loop.last }}
                            {%- endfor %}
                            then
                                case when bare_address = quad then '::ffff:' else left(bare_address, length(bare_address) - length(quad)) end
                                || {{ amplitude_lake.digits_of_octet("split_part(quad, '.', 1)") }} || {{ amplitude_lake.digits_of_octet("split_part(quad, '.', 2)") }}
                                || ':'
                                || {{ amplitude_lake.digits_of_octet("split_part(quad, '.', 3)") }} || {{ amplitude_lake.digits_of_octet("split_part(quad, '.', 4)") }}
                    end as groups_of_digits
                from (
                    select
                        *,
                        {{ regexp_first('bare_address', '^([0-9a-f:]*:)?([0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3})$', 2) }} as quad
                    from (
                        select
                            *,
                            lower(split_part(trim({{ address }}), '%', 1)) as bare_address
                        from {{ relation }}
                    ) as trimmed
                ) as found
            ) as grouped
        ) as checked
    ) as halves
{%- endmacro %}

{# `2001:db8:1` as `20010db80001`. #}
{% macro digits_of_groups(groups) -%}
    {%- for n in range(1, 9) -%}
        case when split_part({{ groups }}, ':', {{ n }}) = '' then '' else lpad(split_part({{ groups }}, ':', {{ n }}), 4, '0') end
        {{- '\n                || ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{% macro digits_of_octet(octet) -%}
    substr('0123456789abcdef', cast(floor(cast({{ octet }} as integer) / 16) as integer) + 1, 1) || substr('0123456789abcdef', cast({{ octet }} as integer) % 16 + 1, 1)
{%- endmacro %}
