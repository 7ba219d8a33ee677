import { jsonOf, textOf, type Value } from "../lines/json.ts"
import { type Event, type Malformed, property, valueAt } from "../lines/events.ts"
import { isView } from "../lines/pages.ts"
import { SECOND } from "../lines/times.ts"
import { meaningful } from "../lines/words.ts"
import type { Click } from "../sessions/clicks.ts"
import { hrefOf, isRepeatable, labelOf } from "../sessions/elements.ts"
import type { Act } from "../sessions/sessions.ts"
import { campaignOf, titleOf, type View } from "../sessions/views.ts"
import {
  firstAndLast,
  firstKnown,
  lastKnown,
  ownClicks,
  siteOfVisit,
  type Visit
} from "../sessions/visits.ts"
import { attributesKey, deviceOf, locationOf } from "./dimensions.ts"
import { isFuture } from "./quality.ts"

const sorted = (value: Value) => (value === null ? null : jsonOf(value, true))

/** A row of `stg_amplitude__events`; the fields of JSON are in the order of their names. */
export function stagedRow(event: Event) {
  return {
    landed_hour: event.landedHour,
    landed_line: event.landedLine,
    load_id: event.loadId,
    event_uuid: event.uuid,
    insert_id: event.insertId,
    event_id: event.eventId,
    event_type: event.type,
    event_time: event.time,
    client_event_time: event.clientTime,
    client_upload_time: event.clientUpload,
    server_received_time: event.received,
    server_upload_time: event.uploaded,
    session_id: event.sessionId,
    amplitude_id: event.amplitudeId,
    user_id: event.userId,
    device_id: event.deviceId,
    project: event.project,
    library: event.library,
    ip_address: event.ipAddress,
    ...locationOf(event),
    ...deviceOf(event),
    event_properties: sorted(event.eventProperties),
    user_properties: sorted(event.userProperties),
    groups: sorted(event.groups)
  }
}

export function malformedRow({ landedHour, landedLine, line }: Malformed) {
  return { landed_hour: landedHour, landed_line: landedLine, line }
}

export function eventRow(act: Act) {
  return {
    ...stagedRow(act.event),
    is_duplicate: act.isDuplicate,
    is_future: isFuture(act),
    session_key: act.sessionKey,
    location_key: attributesKey(locationOf(act.event)),
    device_key: attributesKey(deviceOf(act.event)),
    ...act.place
  }
}

export function viewRow(view: View) {
  const { event, place } = view.moment
  return {
    session_key: view.session.key,
    viewed_at: event.time,
    ...place,
    title: titleOf(view),
    page_view_id: property(event, "Page View ID"),
    nth: view.nth,
    step: view.step,
    seconds_to_next: view.secondsToNext,
    referring_domain: meaningful(textOf(valueAt(event, "referring_domain"))),
    is_redirect: view.isRedirect
  }
}

export function clickRow(click: Click) {
  const { event } = click.moment
  const { element, moment } = click.owner ?? click
  return {
    session_key: click.session.key,
    clicked_at: event.time,
    ...moment.place,
    page_view_id: property(event, "Page View ID"),
    element,
    label: labelOf(event),
    tag: property(event, "Element Tag"),
    href: hrefOf(event),
    menu: click.menu,
    is_menu_opener: click.isMenuOpener,
    is_repeatable: isRepeatable(event),
    is_text_field: click.isTextField,
    burst: click.burst,
    source: click.source
  }
}

export function sessionRow(visit: Visit) {
  const { session, views } = visit
  const [entry] = views
  const clicks = ownClicks(visit).length
  const [first, last] = firstAndLast(session)
  const hours = session.moments.map(({ event }) => event.landedHour)
  const span = first.clock === null || last.clock === null ? null : last.clock - first.clock
  const campaign = (name: string) => (entry === undefined ? null : campaignOf(entry, name))
  return {
    session_key: session.key,
    device_id: firstKnown(session, ({ deviceId }) => deviceId),
    session_id: first.event.sessionId,
    amplitude_id: lastKnown(session, ({ amplitudeId }) => amplitudeId),
    user_id: lastKnown(session, ({ userId }) => userId),
    started_at: first.event.time,
    ended_at: last.event.time,
    seconds: span === null ? null : span / SECOND,
    events: session.moments.length,
    page_views: views.length,
    clicks,
    site: siteOfVisit(visit),
    entry_page: entry?.moment.place.page ?? null,
    exit_page: views.at(-1)?.moment.place.page ?? null,
    is_bounce: session.moments.filter(({ event }) => isView(event)).length === 1,
    has_click: clicks > 0,
    referring_domain: campaign("referring_domain"),
    utm_source: campaign("utm_source"),
    utm_medium: campaign("utm_medium"),
    utm_campaign: campaign("utm_campaign"),
    location_key: firstKnown(session, (event) => attributesKey(locationOf(event))),
    device_key: firstKnown(session, (event) => attributesKey(deviceOf(event))),
    ip_address: firstKnown(session, ({ ipAddress }) => ipAddress),
    first_landed_hour: Math.min(...hours),
    last_landed_hour: Math.max(...hours)
  }
}
