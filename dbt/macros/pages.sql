{# The host of a URL, in lower case, without port and `www.`. #}
{% macro url_host(url) -%}
    lower({{ amplitude_lake.regexp_first(url, '^[a-z][a-z0-9+.-]*://([^/?#@]*@)?(www[.])?([^/?#:@]+)', 3, 'i') }})
{%- endmacro %}

{% macro tidy_host(host) -%}
    lower({{ amplitude_lake.regexp_first(host, '^(www[.])?([^:/?#]+)', 2, 'i') }})
{%- endmacro %}

{# The path of a URL or of a path, up to a `?` or `#`; `/` if there is none. #}
{% macro url_path(url) -%}
    case
        when {{ url }} is not null
            then coalesce({{ amplitude_lake.regexp_first(url, '^([a-z][a-z0-9+.-]*://[^/?#]*)?([^?#]*)', 2, 'i') }}, '/')
    end
{%- endmacro %}

{# The path that a hash router keeps behind the `#`, without it; null for other hashes. #}
{% macro url_hash_path(url) -%}
    case
        when {{ url }} like '%#/%' then {{ amplitude_lake.regexp_first(url, '^[^#]*#(/[^?#]*)', 1) }}
    end
{%- endmacro %}

{#
    A path without trailing slashes, with `:id` for segments of digits and UUIDs. Slashes are doubled
    in between, as neighbours of which both are ids would share one.
#}
{% macro tidy_path(path) -%}
    case
        when {{ path }} is not null
            then coalesce(
                nullif(
                    replace(
                        {{ amplitude_lake.regexp_replaced(
                            "replace(rtrim(" ~ path ~ ", '/'), '/', '//')",
                            '/([0-9]+|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(/|$)',
                            '/:id\\3'
                        ) }},
                        '//', '/'
                    ),
                    ''
                ),
                '/'
            )
    end
{%- endmacro %}

{# Path and hash, both tidy, as the name of a page. A hash of `/` alone adds nothing. #}
{% macro page_name(tidy_path, tidy_hash_path) -%}
    {{ tidy_path }} || coalesce('#' || nullif({{ tidy_hash_path }}, '/'), '')
{%- endmacro %}

{#
    Joins to the seed of sites, one for each number of segments of a prefix, and the longest that
    fits. Joins by equality neither multiply rows nor need a window.
#}
{% macro join_sites(name, host, path) -%}
    {%- for depth in range(4) %}
    left join {{ ref('int_amplitude__sites') }} as {{ name }}_{{ depth }}
        on
            {{ name }}_{{ depth }}.host = {{ host }}
            and {{ name }}_{{ depth }}.path_prefix = '' {%- for n in range(depth) %} || '/' || split_part({{ path }}, '/', {{ n + 2 }}){% endfor %}
            and {{ name }}_{{ depth }}.segments = {{ depth }}
    {%- endfor %}
{%- endmacro %}

{% macro joined_site(name) -%}
    coalesce({{ name }}_3.site, {{ name }}_2.site, {{ name }}_1.site, {{ name }}_0.site)
{%- endmacro %}
