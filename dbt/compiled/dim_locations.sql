select
    location_key,
    country,
    region,
    city,
    dma,
    latitude,
    longitude
from "analytics"."fct_events"
where location_key is not null
group by
    location_key,
    country,
    region,
    city,
    dma,
    latitude,
    longitude
