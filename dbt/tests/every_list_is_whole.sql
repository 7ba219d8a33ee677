{# As many entries are loaded of each list as its ledger row says, with the numbers from 1 on. #}
{% set tables = {'events': 'event_types', 'cohorts': 'cohorts', 'annotations': 'annotations'} %}

with loaded as (
    {% for stream, table in tables.items() %}
    select
        date,
        '{{ stream }}' as stream,
        count(*) as entries,
        max(number) as last_number
    from {{ source('amplitude', table) }}
    group by date
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    lists.date,
    lists.stream,
    lists.entries,
    loaded.entries as loaded_entries
from {{ source('amplitude', 'lists') }} as lists
left join loaded on lists.date = loaded.date and lists.stream = loaded.stream
where lists.entries <> coalesce(loaded.entries, 0) or lists.entries <> coalesce(loaded.last_number, 0)
