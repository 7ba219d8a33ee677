{# A page as people read it on a site: of another site, with its name. #}
{% macro page_of_site(page_site, page, site) -%}
    case
        when {{ page_site }} is distinct from {{ site }} and {{ page_site }} is not null
            then {{ page_site }} || case when left({{ page }}, 1) = '/' then '' else '/' end || {{ page }}
        else {{ page }}
    end
{%- endmacro %}
