import type { Report } from "../../programs/report/Report.ts"
import { figure, legend, missing, picture, square, stretched } from "./figure.ts"
import { type Html, html, name } from "./html.ts"
import { table } from "./table.ts"
import { dayText, fixed, hourText, number, plural } from "./words.ts"

/** What is captured, from when to when. */
export function capturedTable({ otherEvents, otherTypes, types }: Report["captured"]): Html {
  if (types.length === 0) {
    return missing(
      "No events are modelled. load brings hours into the warehouse, and model makes tables of them."
    )
  }
  return html`<p>
      Every type of event, with the first and the last hour that has one. Nothing else was captured,
      so questions about anything else have no answer here.
    </p>
    ${table(
      "Types of events",
      [
        { head: "Type of event", cell: (it) => name(it.eventType) },
        { head: "First", isDate: true, cell: (it) => hourText(it.firstHour) },
        { head: "Last", isDate: true, cell: (it) => hourText(it.lastHour) },
        { head: "Events", isNumber: true, cell: (it) => number(it.events) },
        {
          head: "Sessions",
          isNumber: true,
          isForRoom: true,
          cell: (it) => number(it.sessions)
        }
      ],
      types
    )}
    ${otherTypes === 0 ? html`` : html`<p>And ${plural(otherTypes, "other type")} with ${plural(otherEvents, "event")}.</p> `}`
}

const DAY = 86_400_000
/** Empty days are drawn if they are not most of them. */
const FILLED = 1200

type Day = Report["eventsByDay"]["days"][number]

function filled(days: ReadonlyArray<Day>, types: number): ReadonlyArray<Day> {
  const [first] = days
  const last = days.at(-1)
  if (first === undefined || last === undefined) return []
  const length = (Date.parse(last.day) - Date.parse(first.day)) / DAY + 1
  if (!(length <= FILLED)) return days
  const known = new Map(days.map((it) => [it.day, it]))
  return Array.from({ length }, (_, index) => {
    const day = new Date(Date.parse(first.day) + index * DAY).toISOString().slice(0, 10)
    return known.get(day) ?? { day, events: Array.from({ length: types }, () => 0), other: 0 }
  })
}

const HEIGHT = 180
/** For the number of the highest column. */
const TOP = 18
const totalOf = ({ events, other }: Day) => events.reduce((sum, it) => sum + it, other)

/** Events a day as columns, by type. */
export function daysFigure({ days, types }: Report["eventsByDay"]): Html {
  const drawn = filled(days, types.length)
  const top = drawn.reduce<Day | undefined>(
    (most, it) => (most === undefined || totalOf(it) > totalOf(most) ? it : most),
    undefined
  )
  if (top === undefined) return missing("No events are modelled, so there is no day to show.")
  const most = totalOf(top)
  const paths = [...types, null].map((_, type) => {
    let path = ""
    for (const [index, day] of drawn.entries()) {
      const own = day.events[type] ?? day.other
      if (own === 0) continue
      const below = day.events.slice(0, type).reduce((sum, it) => sum + it, 0)
      const high = Math.max(0.2, (own / most) * 100)
      path += `M${index} ${fixed(100 - (below / most) * 100)}h.8v-${fixed(high)}h-.8z`
    }
    return path
  })
  const hasOther = days.some(({ other }) => other > 0)
  const all = days.reduce((sum, it) => sum + totalOf(it), 0)
  const title = html`${plural(all, "event")} on ${plural(days.length, "day")}, most on
  ${dayText(top.day)}`
  const half = Math.floor(drawn.length / 2)
  const axis = [
    { x: 0, anchor: "start", text: drawn[0]?.day ?? "" },
    ...(drawn.length > 4
      ? [{ x: ((half + 0.4) / drawn.length) * 100, anchor: "middle", text: drawn[half]?.day ?? "" }]
      : []),
    ...(drawn.length > 1 ? [{ x: 100, anchor: "end", text: drawn.at(-1)?.day ?? "" }] : [])
  ]
  return figure({
    title,
    sentence: "By the UTC day on which they happened. Duplicates are left out.",
    legend: legend([
      ...types.map((type, index) => ({ mark: square(`c-${index}`), text: name(type) })),
      ...(hasOther ? [{ mark: square("c-other"), text: "all others" }] : [])
    ]),
    picture: picture({
      id: "days-title",
      title,
      height: TOP + HEIGHT + 22,
      content: html`<text class="muted" x="100%" y="11" text-anchor="end">${number(most)}</text
        ><line class="axis" x1="0" x2="100%" y1="${TOP}" y2="${TOP}" /><svg
          y="${TOP}"
          width="100%"
          height="${HEIGHT}"
        >
          ${stretched(
            Math.max(drawn.length, 7),
            100,
            paths.map(
              (path, index) =>
                html`<path
                  class="${index === types.length ? "c-other" : `c-${index}`}"
                  d="${path}"
                />`
            )
          )}</svg
        ><line class="axis" x1="0" x2="100%" y1="${TOP + HEIGHT}" y2="${TOP + HEIGHT}" />
        ${axis.map(({ anchor, text, x }) => html`<text class="muted" x="${fixed(drawn.length < 7 ? (x * drawn.length) / 7 : x)}%" y="${TOP + HEIGHT + 17}" text-anchor="${anchor}">${text}</text>`)}`
    }),
    table: table(
      "Events a day",
      [
        { head: "Day", isDate: true, cell: ({ day }) => dayText(day) },
        ...types.map((type, index) => ({
          head: type === null ? "unknown" : type.slice(0, 40),
          isNumber: true,
          cell: ({ events }: Day) => number(events[index] ?? 0)
        })),
        { head: "All others", isNumber: true, cell: ({ other }) => number(other) },
        { head: "All", isNumber: true, cell: (it) => number(totalOf(it)) }
      ],
      days
    )
  })
}
