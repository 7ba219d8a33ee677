with

clicks as (
    select
        session_key,
        landed_hour,
        landed_line,
        load_id,
        modelled_at,
        event_type,
        element_tag,
        event_properties
    from "analytics"."fct_events" as events
    where
        session_key is not null
        and not is_duplicate
        and event_type in ('[Amplitude] Element Clicked', '[Amplitude] Element Interacted', '[Amplitude] Rage Click', '[Amplitude] Dead Click')
),

parsed as (
    select
        session_key,
        landed_hour,
        landed_line,
        load_id,
        modelled_at,
        event_type,
        element_tag,
        event_properties,
        field[1] as page_view_id,
        field[2] as element_id,
        field[3] as element_class,
        field[4] as element_text,
        field[5] as element_href,
        field[6] as element_aria_label,
        field[7] as element_path,
        field[8] as track_id,
        field[9] as track_name,
        field[10] as target_text,
        field[11] as target_label,
        field[12] as target_identifier,
        field[13] as target_resource,
        field[14] as target_view_class,
        field[15] as target_class,
        field[16] as hierarchy,
        field[17] as first_node,
        field[18] as array_title,
        field[19] as array_alt,
        field[20] as array_name,
        field[21] as array_placeholder,
        field[22] as array_type,
        field[23] as array_classes_1,
        field[24] as array_classes_2
    from (
        select
            session_key,
            landed_hour,
            landed_line,
            load_id,
            modelled_at,
            event_type,
            element_tag,
            event_properties,
            json_extract_string(event_properties, [
                '$."[Amplitude] Page View ID"',
                '$."[Amplitude] Element ID"',
                '$."[Amplitude] Element Class"',
                '$."[Amplitude] Element Text"',
                '$."[Amplitude] Element Href"',
                '$."[Amplitude] Element Aria Label"',
                '$."[Amplitude] Element Path"',
                '$."[Amplitude] Element Attributes"."id"',
                '$."[Amplitude] Element Attributes"."name"',
                '$."[Amplitude] Target Text"',
                '$."[Amplitude] Target Accessibility Label"',
                '$."[Amplitude] Target Accessibility Identifier"',
                '$."[Amplitude] Target Resource"',
                '$."[Amplitude] Target View Class"',
                '$."[Amplitude] Target Class"',
                '$."[Amplitude] Element Hierarchy"',
                '$."[Amplitude] Element Hierarchy"[0]',
                '$."[Amplitude] Element Hierarchy"[0]."attrs"."title"',
                '$."[Amplitude] Element Hierarchy"[0]."attrs"."alt"',
                '$."[Amplitude] Element Hierarchy"[0]."attrs"."name"',
                '$."[Amplitude] Element Hierarchy"[0]."attrs"."placeholder"',
                '$."[Amplitude] Element Hierarchy"[0]."attrs"."type"',
                '$."[Amplitude] Element Hierarchy"[1]."classes"',
                '$."[Amplitude] Element Hierarchy"[2]."classes"'
            ]) as field
        from clicks
    ) as parsed
),

texts as (
    select
        *,
        case when first_node is null and left(hierarchy, 1) = '[' then case when json_valid(hierarchy) then hierarchy end end as json_hierarchy
    from parsed
),

read as (
    select
        session_key,
        landed_hour,
        landed_line,
        load_id,
        modelled_at,
        event_type,
        element_tag,
        event_properties,
        json_hierarchy,
        page_view_id,
        element_id,
        element_class,
        element_text,
        element_href,
        element_aria_label,
        element_path,
        track_id,
        track_name,
        target_text,
        target_label,
        target_identifier,
        target_resource,
        target_view_class,
        target_class,
        hierarchy,
        first_node,
        array_title,
        array_alt,
        array_name,
        array_placeholder,
        array_type,
        array_classes_1,
        array_classes_2,
        field[1] as text_title,
        field[2] as text_alt,
        field[3] as text_name,
        field[4] as text_placeholder,
        field[5] as text_type,
        field[6] as text_classes_1,
        field[7] as text_classes_2
    from (
        select
            session_key,
            landed_hour,
            landed_line,
            load_id,
            modelled_at,
            event_type,
            element_tag,
            event_properties,
            json_hierarchy,
            page_view_id,
            element_id,
            element_class,
            element_text,
            element_href,
            element_aria_label,
            element_path,
            track_id,
            track_name,
            target_text,
            target_label,
            target_identifier,
            target_resource,
            target_view_class,
            target_class,
            hierarchy,
            first_node,
            array_title,
            array_alt,
            array_name,
            array_placeholder,
            array_type,
            array_classes_1,
            array_classes_2,
            json_extract_string(json_hierarchy, [
                '$[0]."attrs"."title"',
                '$[0]."attrs"."alt"',
                '$[0]."attrs"."name"',
                '$[0]."attrs"."placeholder"',
                '$[0]."attrs"."type"',
                '$[1]."classes"',
                '$[2]."classes"'
            ]) as field
        from texts
    ) as parsed
),

guessed as (
    select
        *,
        replace(
        case
            when left(hierarchy, 3) = '["{'
                then replace(replace(hierarchy, chr(92) || '"', '"'), chr(92) || chr(92) || '"', chr(92) || '"')
            else hierarchy
        end,
        chr(10), ' '
    ) as hierarchy_text
    from read
),

likely as (
    select
        *,
        coalesce(
            case
                when regexp_matches(hierarchy_text, '["'']tag["''] ?: ?["''](nav)["'']|["'']role["''] ?: ?["''](navigation|menubar|menu|menuitem[a-z]*)["'']', 'i') then true
                when regexp_matches(hierarchy_text, '["'']tag["''] ?: ?["''](header)["'']|["'']role["''] ?: ?["''](banner)["'']', 'i')
                    then regexp_matches(hierarchy_text, '(^|[^a-z0-9])(nav|navbar|navigation|menu|megamenu|burger|hamburger)([^a-z0-9]|$)', 'i')
            end,
            false
        ) as is_like_menu,
        case
            when first_node is not null then first_node
            else regexp_replace(hierarchy_text, '[}]["'']? ?, ?["'']?[{].*$', '}', 'g')
        end as node_text
    from guessed
),

noded as (
    select
        *,

        case
            when is_like_menu then regexp_replace(replace(hierarchy_text, '¶', ' '), '[}]["'']? ?, ?["'']?[{]', '}¶{', 'g')
        end as nodes
    from likely
),

enclosed as (
    select
        *,

        regexp_replace(lower(nodes), '((["'']tag["''] ?: ?["''](nav|header)["'']|["'']role["''] ?: ?["''](navigation|menubar|menu|banner)["''])[^¶]*)(¶.*)?$', '\1', 'g') as menu_text,
        coalesce(
            nullif(regexp_extract(nodes, '([^¶]*["'']tag["''] ?: ?["''](nav)["''][^¶]*)', 1, 'i'), ''),
            nullif(regexp_extract(nodes, '([^¶]*["'']role["''] ?: ?["''](navigation|menubar|menu)["''][^¶]*)', 1, 'i'), '')
        ) as nav_text
    from noded
),

described as (
    select
        session_key,
        landed_hour,
        landed_line,
        load_id,
        modelled_at,
        event_type,
        page_view_id,
        element_id,
        element_class,
        element_path,
        track_id,
        node_text,
        target_identifier,
        target_resource,
        cast(null as varchar) as own_label,
        cast(null as varchar) as own_item,
        cast(null as varchar) as own_menu,
        cast(null as varchar) as own_href,
        coalesce(element_tag, target_view_class, target_class) as tag,
        element_tag,
        nullif(nullif(nullif(element_text, ''), 'EMPTY'), '*****') as element_text,
        nullif(nullif(nullif(element_href, ''), 'EMPTY'), '*****') as element_href,
        nullif(nullif(nullif(element_aria_label, ''), 'EMPTY'), '*****') as aria_label,
        nullif(nullif(nullif(target_text, ''), 'EMPTY'), '*****') as target_text,
        nullif(nullif(nullif(target_label, ''), 'EMPTY'), '*****') as target_label,
        nullif(nullif(nullif(track_name, ''), 'EMPTY'), '*****') as track_name,
        nullif(nullif(nullif(coalesce(array_title, text_title, case when first_node is null and json_hierarchy is null then replace(
        replace(
            replace(coalesce(
            nullif(regexp_extract(node_text, '["'']title["''] ?: ?("(([^"\\]|\\.)*)"|''(([^''\\]|\\.)*)'')', 2, 'i'), ''),
            nullif(regexp_extract(node_text, '["'']title["''] ?: ?("(([^"\\]|\\.)*)"|''(([^''\\]|\\.)*)'')', 4, 'i'), '')
        ), chr(92) || '"', '"'),
            chr(92) || chr(39), chr(39)
        ),
        chr(92) || chr(92), chr(92)
    ) end), ''), 'EMPTY'), '*****') as attribute_title,
        nullif(nullif(nullif(coalesce(array_alt, text_alt, case when first_node is null and json_hierarchy is null then replace(
        replace(
            replace(coalesce(
            nullif(regexp_extract(node_text, '["'']alt["''] ?: ?("(([^"\\]|\\.)*)"|''(([^''\\]|\\.)*)'')', 2, 'i'), ''),
            nullif(regexp_extract(node_text, '["'']alt["''] ?: ?("(([^"\\]|\\.)*)"|''(([^''\\]|\\.)*)'')', 4, 'i'), '')
        ), chr(92) || '"', '"'),
            chr(92) || chr(39), chr(39)
        ),
        chr(92) || chr(92), chr(92)
    ) end), ''), 'EMPTY'), '*****') as attribute_alt,
        nullif(nullif(nullif(coalesce(array_name, text_name, case when first_node is null and json_hierarchy is null then replace(
        replace(
            replace(coalesce(
            nullif(regexp_extract(node_text, '["'']name["''] ?: ?("(([^"\\]|\\.)*)"|''(([^''\\]|\\.)*)'')', 2, 'i'), ''),
            nullif(regexp_extract(node_text, '["'']name["''] ?: ?("(([^"\\]|\\.)*)"|''(([^''\\]|\\.)*)'')', 4, 'i'), '')
        ), chr(92) || '"', '"'),
            chr(92) || chr(39), chr(39)
        ),
        chr(92) || chr(92), chr(92)
    ) end), ''), 'EMPTY'), '*****') as attribute_name,
        nullif(nullif(nullif(coalesce(array_placeholder, text_placeholder, case when first_node is null and json_hierarchy is null then replace(
        replace(
            replace(coalesce(
            nullif(regexp_extract(node_text, '["'']placeholder["''] ?: ?("(([^"\\]|\\.)*)"|''(([^''\\]|\\.)*)'')', 2, 'i'), ''),
            nullif(regexp_extract(node_text, '["'']placeholder["''] ?: ?("(([^"\\]|\\.)*)"|''(([^''\\]|\\.)*)'')', 4, 'i'), '')
        ), chr(92) || '"', '"'),
            chr(92) || chr(39), chr(39)
        ),
        chr(92) || chr(92), chr(92)
    ) end), ''), 'EMPTY'), '*****') as attribute_placeholder,
        nullif(nullif(nullif(coalesce(array_type, text_type, case when first_node is null and json_hierarchy is null then replace(
        replace(
            replace(coalesce(
            nullif(regexp_extract(node_text, '["'']type["''] ?: ?("(([^"\\]|\\.)*)"|''(([^''\\]|\\.)*)'')', 2, 'i'), ''),
            nullif(regexp_extract(node_text, '["'']type["''] ?: ?("(([^"\\]|\\.)*)"|''(([^''\\]|\\.)*)'')', 4, 'i'), '')
        ), chr(92) || '"', '"'),
            chr(92) || chr(39), chr(39)
        ),
        chr(92) || chr(92), chr(92)
    ) end), ''), 'EMPTY'), '*****') as attribute_type,
        coalesce(array_classes_1, text_classes_1) as parent_classes,
        coalesce(array_classes_2, text_classes_2) as grandparent_classes,
        case
            when not is_like_menu then null
            when regexp_matches(menu_text, '(^|[^a-z0-9])(breadcrumb|pagination|pager|tablist|cookie|consent|context[^a-z0-9]+menu)s?([^a-z0-9]|$)', 'i') then null
            when regexp_matches(nodes, '(["'']tag["''] ?: ?["''](nav|header)["'']|["'']role["''] ?: ?["''](navigation|menubar|menu|banner)["''])[^¶]*¶.*["'']tag["''] ?: ?["''](footer)["'']', 'i') then 'footer'
            when not regexp_matches(nodes, '["'']tag["''] ?: ?["''](nav|header)["'']|["'']role["''] ?: ?["''](navigation|menubar|menu|banner)["'']', 'i') and regexp_matches(nodes, '["'']tag["''] ?: ?["''](footer)["'']', 'i') then 'footer'
            else coalesce(
                nullif(nullif(nullif(replace(
        replace(
            replace(coalesce(
            nullif(regexp_extract(nav_text, '["'']aria-label["''] ?: ?("(([^"\\]|\\.)*)"|''(([^''\\]|\\.)*)'')', 2, 'i'), ''),
            nullif(regexp_extract(nav_text, '["'']aria-label["''] ?: ?("(([^"\\]|\\.)*)"|''(([^''\\]|\\.)*)'')', 4, 'i'), '')
        ), chr(92) || '"', '"'),
            chr(92) || chr(39), chr(39)
        ),
        chr(92) || chr(92), chr(92)
    ), ''), 'EMPTY'), '*****'),
                nullif(nullif(nullif(replace(
        replace(
            replace(coalesce(
            nullif(regexp_extract(nav_text, '["'']id["''] ?: ?("(([^"\\]|\\.)*)"|''(([^''\\]|\\.)*)'')', 2, 'i'), ''),
            nullif(regexp_extract(nav_text, '["'']id["''] ?: ?("(([^"\\]|\\.)*)"|''(([^''\\]|\\.)*)'')', 4, 'i'), '')
        ), chr(92) || '"', '"'),
            chr(92) || chr(39), chr(39)
        ),
        chr(92) || chr(92), chr(92)
    ), ''), 'EMPTY'), '*****'),
                'main'
            )
        end as hierarchy_menu
    from enclosed
),

labelled as (
    select
        *,
        coalesce(nullif(nullif(nullif(own_href, ''), 'EMPTY'), '*****'), element_href) as href,
        coalesce(nullif(nullif(nullif(own_menu, ''), 'EMPTY'), '*****'), hierarchy_menu) as menu
    from described
),

addressed as (
    select
        *,
        case
        when href is not null
            then coalesce(nullif(regexp_extract(href, '^([a-z][a-z0-9+.-]*://[^/?#]*)?([^?#]*)', 2, 'i'), ''), '/')
    end as href_path,
        case
        when href like '%#/%' then nullif(regexp_extract(href, '^[^#]*#(/[^?#]*)', 1), '')
    end as href_hash_path
    from labelled
),

tidied as (
    select
        *,
        case
        when href_path is not null
            then coalesce(
                nullif(
                    replace(
                        regexp_replace(replace(rtrim(href_path, '/'), '/', '//'), '/([0-9]+|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(/|$)', '/:id\3', 'g'),
                        '//', '/'
                    ),
                    ''
                ),
                '/'
            )
    end as tidy_href_path,
        case
        when href_hash_path is not null
            then coalesce(
                nullif(
                    replace(
                        regexp_replace(replace(rtrim(href_hash_path, '/'), '/', '//'), '/([0-9]+|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(/|$)', '/:id\3', 'g'),
                        '//', '/'
                    ),
                    ''
                ),
                '/'
            )
    end as tidy_href_hash_path
    from addressed
),

named as (
    select
        session_key,
        landed_hour,
        landed_line,
        load_id,
        page_view_id,
        coalesce(
            nullif(nullif(nullif(own_item, ''), 'EMPTY'), '*****'),
            nullif(nullif(nullif(track_id, ''), 'EMPTY'), '*****'),
            case
                when not regexp_matches(element_id, '^:r.*:$|^(radix-|headlessui-|mui-)') then nullif(nullif(nullif(element_id, ''), 'EMPTY'), '*****')
            end,
            nullif(nullif(nullif(element_path, ''), 'EMPTY'), '*****'),
            nullif(nullif(nullif(target_identifier, ''), 'EMPTY'), '*****'),
            nullif(nullif(nullif(target_resource, ''), 'EMPTY'), '*****'),
            nullif(
                trim(
                    coalesce(tag, '')
                    || coalesce(' ' || tidy_href_path || coalesce('#' || nullif(tidy_href_hash_path, '/'), ''), '')
                    || coalesce(' ' || coalesce(nullif(nullif(nullif(own_label, ''), 'EMPTY'), '*****'), element_text, target_text, target_label), '')
                ),
                ''
            ),
            event_type
        ) as element,
        coalesce(
            nullif(nullif(nullif(own_label, ''), 'EMPTY'), '*****'),
            nullif(nullif(nullif(own_item, ''), 'EMPTY'), '*****'),
            element_text,
            aria_label,
            attribute_title,
            attribute_alt,
            attribute_name,
            attribute_placeholder,
            target_text,
            target_label,
            track_name,
            nullif(regexp_extract(rtrim(href_path || coalesce('#' || href_hash_path, ''), '/#'), '([^/#]+)$', 1), ''),
            nullif(nullif(nullif(element_id, ''), 'EMPTY'), '*****'),
            tag
        ) as label,
        tag,
        href,
        tidy_href_path || coalesce('#' || nullif(tidy_href_hash_path, '/'), '') as href_page,
        menu,
        coalesce(
            case
                when menu is null or own_item is not null then false
                when element_tag = 'button' or href is null then true
                else regexp_matches(node_text, '["'']aria-(expanded|haspopup)["''] ?:', 'i')
            end,
            false
        ) as is_like_opener,
        coalesce(element_tag in ('video', 'audio'), false)
        or regexp_matches(coalesce(element_id, '') || ' ' || coalesce(element_class, '') || ' ' || coalesce(aria_label, '') || ' ' || coalesce(element_text, '') || ' ' || coalesce(target_text, '') || ' ' || coalesce(target_label, '') || ' ' || coalesce(parent_classes, '') || ' ' || coalesce(grandparent_classes, ''), '(^|[^a-z0-9])(stepper|quantity|qty|increment|decrement|plus|minus|carousel|slider|swiper|slick|next|prev|previous|pagination|pager|player|play|pause|seek|volume|datepicker|calendar|zoom)([^a-z0-9]|$)', 'i') as is_repeatable,
        coalesce(
            case
                when element_tag = 'textarea' then true
                when element_tag = 'input'
                    then coalesce(lower(attribute_type), 'text') not in ('button', 'submit', 'reset', 'checkbox', 'radio', 'image', 'range', 'color', 'file')
                else regexp_matches(node_text, '["'']contenteditable["''] ?: ?["''](|true|plaintext-only)["'']', 'i')
            end,
            false
        ) as is_text_field,
        modelled_at as events_modelled_at
    from tidied
)

select
            session_key,
            landed_hour,
            landed_line,
            load_id,
            page_view_id,
            element,
            label,
            tag,
            href,
            href_page,
            menu,
            is_like_opener,
            is_repeatable,
            is_text_field,
            events_modelled_at
        from named
