select
    location_key,
    country,
    region,
    city,
    dma,
    latitude,
    longitude
from {{ ref('fct_events') }}
where location_key is not null
group by
    location_key,
    country,
    region,
    city,
    dma,
    latitude,
    longitude
