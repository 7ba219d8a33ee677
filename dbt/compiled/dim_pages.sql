with views as (
    select
        site,
        page,
        title,
        nth = 1 as is_entry,
        nth = count(*) over (partition by session_key) as is_exit,
        row_number() over (
            partition by site, page
            order by viewed_at desc nulls last, landed_hour desc, landed_line desc
        ) as nth_newest
    from "analytics"."fct_page_views"
)

select
    site,
    page,
    max(case when nth_newest = 1 then title end) as title,
    count(*) as views,
    count(case when is_entry then 1 end) as entries,
    count(case when is_exit then 1 end) as exits,
    count(case when is_entry and is_exit then 1 end) as bounces
from views
where page is not null
group by site, page
