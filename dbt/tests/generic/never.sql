{# No row may fulfil the condition. #}
{% test never(model, condition, column_name=none) %}

select *
from {{ model }}
where {{ condition }}

{% endtest %}
