import { type Event, property } from "../lines/events.ts"
import { afterHost, plainPath } from "../lines/pages.ts"
import type { Moment } from "./sessions.ts"
import { queryOf, type View } from "./views.ts"
import { hasWord } from "../lines/words.ts"

const EVENTS: ReadonlySet<string> = new Set(["Search"])
const KEYS = ["q", "query", "s", "search"]
const WORD: ReadonlySet<string> = new Set(["search"])

function isSearchForm(event: Event): boolean {
  if (event.type !== "[Amplitude] Form Submitted") return false
  const destination = property(event, "Form Destination")
  const path = destination === null ? null : plainPath(afterHost(destination))
  return [property(event, "Form ID"), property(event, "Form Name"), path].some((text) =>
    hasWord(text, WORD)
  )
}

/** Whether a view is of what a search has found. Views without a page are passed over. */
function isFound({ moment }: View): boolean {
  const query = queryOf(property(moment.event, "Page Location"))
  const { page } = moment.place
  if (page === null) return false
  const isBelowSearch = page.startsWith("/") && page.split("/").includes("search")
  return isBelowSearch || KEYS.some((key) => query.has(key))
}

/** Whether something is a search, where `view` is what it is if it is a view. */
export function isSearch({ event }: Moment, view: View | undefined): boolean {
  if (event.type !== null && EVENTS.has(event.type)) return true
  return view === undefined ? isSearchForm(event) : isFound(view)
}
