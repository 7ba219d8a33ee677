import { assert, describe, it as test } from "vitest"
import {
  bursts,
  dead,
  drift,
  expected,
  ipRanges,
  menu
} from "../../../src/layers/synthetic/planted.ts"
import { isLong } from "../../fixtures/long.ts"
import { interval, menuEvidence, pageOf } from "../../fixtures/report/menuEvidence.ts"
import {
  dayOfEvents,
  type Event,
  isClick,
  isView,
  property,
  sessionsOf
} from "../../fixtures/archive/syntheticEvents.ts"

type Session = ReadonlyArray<Event>

let known: ReadonlyArray<Session> | undefined
const daySessions = () => (known ??= sessionsOf(dayOfEvents()))

const siteOf = (event: Event) => new URL(property(event, "Page URL") ?? "").host

/** Holds a count against a planted share. */
function isPlanted(name: string, count: number, of: number, planted: number): void {
  const [least, most] = expected(planted, of)
  isBetween(`${name} of ${of}`, count, least, most)
}

function share(sessions: ReadonlyArray<Session>, test: (session: Session) => boolean): number {
  return sessions.filter(test).length / sessions.length
}

function isBetween(name: string, value: number, low: number, high: number): void {
  assert.isTrue(low <= value && value <= high, `${name}: ${value}`)
}

/** When an element was clicked in a session, for each session that did. */
function clicksOn(id: string): ReadonlyArray<ReadonlyArray<number>> {
  return daySessions()
    .map((session) =>
      session
        .filter((event) => isClick(event) && property(event, "Element ID") === id)
        .map(({ at }) => at)
    )
    .filter((times) => times.length > 0)
}

/** Whether `count` clicks in a row took at most `millis` milliseconds. */
function isRage(count: number, millis: number) {
  return (times: ReadonlyArray<number>) =>
    times.some((time, index) => (times[index + count - 1] ?? Infinity) - time <= millis)
}

const isRage3 = isRage(3, 1000)
const isRage4 = isRage(4, 999)

function shareOf<A>(all: ReadonlyArray<A>, test: (one: A) => boolean): number {
  return all.filter(test).length / all.length
}

describe("the planted findings", () => {
  test.runIf(isLong)("one menu item misleads, on the British site only", () => {
    const evidence = menuEvidence(daySessions())
    const of = (key: string) => {
      const found = evidence.get(key)
      assert.isDefined(found, key)
      assert.isAtLeast(found.sessions, 30, key)
      return found
    }
    const [british, german] = [of("uk.shop.example.com Offers"), of("de.shop.example.com Angebote")]
    const { misled } = menu.misleading
    const { secondGuess, return: returns } = menu.signs
    const { sessions, signs } = british
    const [low] = interval(signs, sessions)
    isPlanted("misled", signs, sessions, misled)
    isPlanted("second guesses", british.secondGuesses, sessions, misled * secondGuess)
    isPlanted("returns", british.returns, sessions, misled * returns)
    isPlanted("searches", british.searches, sessions, misled * (1 - secondGuess - returns))
    isPlanted("misled elsewhere", german.signs, german.sessions, menu.misled)
    assert.isAbove(low, interval(german.signs, german.sessions)[1])
    for (const [key, { sessions, signs }] of evidence) {
      if (key === "uk.shop.example.com Offers") continue
      assert.isBelow(interval(signs, sessions)[0], 0.12, key)
      assert.isBelow(signs / sessions, low, key)
    }
    assert.isAbove(british.secondGuesses, 10)
    assert.isAbove(british.returns, 10)
    assert.isAbove(british.searches, 5)
  })

  test("the most popular item has the most returns, but hasty ones no more often than others", () => {
    const evidence = menuEvidence(daySessions())
    const british = [...evidence].filter(([key]) => key.startsWith("uk."))
    const [popular] = british.sort(([, one], [, other]) => other.sessions - one.sessions)
    assert.strictEqual(popular?.[0], "uk.shop.example.com Sale")

    const returns = (item: string) =>
      daySessions().filter((session) => {
        const at = session.findIndex(
          (event) => isClick(event) && property(event, "Element Text") === item
        )
        const from = at < 0 ? undefined : session[at]
        const views = session.slice(at + 1).filter(isView)
        return (
          from !== undefined &&
          siteOf(from) === "uk.shop.example.com" &&
          property(views[1] ?? from, "Page URL") === property(from, "Page URL") &&
          views.length > 1
        )
      }).length
    assert.isAbove(returns("Sale"), 2 * returns("Offers"))
  })

  test("the broken button is clicked in rage, and Amplitude's SDK tells so by its inner element", () => {
    const sessions = clicksOn(bursts.broken.id)
    assert.isAbove(sessions.length, 20)
    isBetween("rage of four", shareOf(sessions, isRage4), 0.95, 1)
    const rage = dayOfEvents().filter(
      (event) =>
        event.event_type === "[Amplitude] Rage Click" &&
        /"id":"apply-coupon"/.test(property(event, "Element Hierarchy") ?? "")
    )
    assert.isAbove(rage.length, 10)
    for (const event of rage) {
      assert.strictEqual(property(event, "Element Tag"), "span")
      assert.strictEqual(event.library, "amplitude-ts/2.48.1")
      assert.isAtLeast(Number(property(event, "Click Count")), 4)
      const begin = Date.parse(property(event, "Begin Time") ?? "")
      assert.strictEqual(begin, event.at)
    }
  })

  test("the slow button is clicked three times in a second, and never four times", () => {
    const sessions = clicksOn(bursts.slow.id)
    assert.isAbove(sessions.length, 50)
    assert.isFalse(sessions.some(isRage4))
  })

  test("as many sessions click hastily on each button as planted", () => {
    const { broken, carousel, slow, stepper } = bursts
    for (const { id, rage3, rage4 } of [broken, slow, stepper, carousel]) {
      const sessions = clicksOn(id)
      isPlanted(`${id} three`, sessions.filter(isRage3).length, sessions.length, rage3)
      isPlanted(`${id} four`, sessions.filter(isRage4).length, sessions.length, rage4)
    }
  })

  test("a planted share allows for chance, and not for more", () => {
    assert.deepStrictEqual(expected(0.5, 100), [31, 69])
    assert.deepStrictEqual(expected(0.5, 1_000_000), [458_504, 541_496])
    assert.deepStrictEqual(expected(0, 50), [0, 7])
    assert.deepStrictEqual(expected(1, 50), [43, 50])
    assert.deepStrictEqual(expected(0.3, 0), [0, 0])
  })

  test("steppers, carousels and text fields are clicked as hastily, and harmless", () => {
    const [stepper, carousel, field] = [
      clicksOn(bursts.stepper.id),
      clicksOn(bursts.carousel.id),
      clicksOn(bursts.field.id)
    ]
    assert.isAbove(Math.min(stepper.length, carousel.length), 50)
    isBetween("stepper", shareOf(stepper, isRage4), 0.95, 1)
    isBetween("carousel", shareOf(carousel, isRage3), 0.3, 0.9)
    assert.isFalse(carousel.some(isRage4))
    assert.isAbove(field.filter(isRage3).length, 5)
    assert.isFalse(field.some(isRage4))
  })

  test("of the dead buttons Amplitude's SDK tells only the one without an element inside", () => {
    const told = dayOfEvents().filter(({ event_type }) => event_type === "[Amplitude] Dead Click")
    assert.isAbove(told.length, 10)
    assert.isTrue(told.every((event) => property(event, "Element ID") === dead.seen.id))
    assert.isAbove(clicksOn(dead.unseen.id).length, 10)
    for (const session of daySessions()) {
      for (const [at, event] of session.entries()) {
        if (!isClick(event) || property(event, "Element ID") !== dead.unseen.id) continue
        const next = session.slice(at + 1).find(({ event_type }) => event_type !== "session_end")
        if (next === undefined) continue
        assert.isAbove(next.at - event.at, 3000)
      }
    }
  })

  test("visitors log in within a session, and some were known from another device", () => {
    const sessions = daySessions().filter((session) => {
      const users = new Set(session.map(({ user_id }) => user_id))
      return users.has(null) && users.size > 1
    })
    assert.isAbove(sessions.length, 50)
    for (const session of sessions) {
      const byId = session.toSorted((one, other) => one.event_id - other.event_id)
      const first = byId.findIndex(({ user_id }) => user_id !== null)
      assert.isTrue(byId.slice(first).every(({ user_id }) => user_id === byId[first]?.user_id))
      assert.match(byId[first]?.user_id ?? "", /@example\.com$/)
    }
    const recognized = share(
      sessions,
      (session) => new Set(session.map(({ amplitude_id }) => amplitude_id)).size === 2
    )
    isBetween("recognized", recognized, 0.25, 0.55)
  })

  test("some visitors' clicks are not captured", () => {
    const british = daySessions().filter(
      (session) =>
        session.filter(isView).length > 3 &&
        session.some((event) => isView(event) && siteOf(event).startsWith("uk."))
    )
    isBetween(
      "plain",
      share(british, (session) => !session.some(isClick)),
      0.1,
      0.3
    )
  })

  test("a property of page views and the clicks of one site begin at some hour", () => {
    const { property: added, clicks } = drift
    for (const event of dayOfEvents()) {
      const has = Object.hasOwn(event.event_properties, added.name)
      assert.strictEqual(has, isView(event) && event.hour >= added.since)
    }
    const french = dayOfEvents().filter(
      (event) => isClick(event) && siteOf(event) === "www.fr.shop.example.com"
    )
    assert.isAbove(french.length, 100)
    assert.isTrue(french.every(({ hour }) => hour >= clicks.since))
  })

  test("the sites differ in what the address bar shows when a link is clicked", () => {
    const links = dayOfEvents().filter(
      (event) =>
        isClick(event) &&
        property(event, "Element Href") !== undefined &&
        property(event, "Page Path") !== undefined
    )
    const ahead = (host: string) => {
      const all = links.filter((event) => siteOf(event) === host)
      assert.isAbove(all.length, 50)
      return shareOf(
        all,
        (event) => property(event, "Page Location") === property(event, "Element Href")
      )
    }
    assert.strictEqual(ahead("uk.shop.example.com"), 0)
    isBetween("single page", ahead("de.shop.example.com"), 0.99, 1)
    isBetween("hash router", ahead("www.fr.shop.example.com"), 0.99, 1)
    const pages = new Set(
      dayOfEvents()
        .filter((event) => isView(event) && siteOf(event).startsWith("www.fr"))
        .map(
          (event) => `${property(event, "Page Path")} ${pageOf(property(event, "Page URL") ?? "")}`
        )
    )
    assert.isTrue([...pages].every((page) => page.startsWith("/ /")))
    assert.isTrue(pages.has("/ /#/sale"))
  })

  test("hierarchies come as an array, as text cut at 1,024 characters, and with Python's quotes", () => {
    const forms = new Map<string, number>()
    for (const event of dayOfEvents().filter(isClick)) {
      const value = event.event_properties["[Amplitude] Element Hierarchy"]
      const form = Array.isArray(value) ? "array" : String(value).slice(0, 8)
      forms.set(form, (forms.get(form) ?? 0) + 1)
      if (!Array.isArray(value)) assert.isAtMost(String(value).length, 1024)
    }
    assert.sameMembers([...forms.keys()], ["array", '[{"tag":', "[{'tag':"])
    assert.isAbove(Math.min(...forms.values()), 200)
    const lengths = dayOfEvents()
      .filter(isClick)
      .map((event) => property(event, "Element Hierarchy")?.length ?? 0)
    assert.isAbove(lengths.filter((length) => length > 1024).length, 100)
    assert.isAbove(lengths.filter((length) => length === 1024).length, 100)
  })
})

function groups(text: string): ReadonlyArray<string> {
  return text === "" ? [] : text.split(":").map((group) => group.padStart(4, "0"))
}

/** An address as 32 hexadecimal digits. */
function digits(address: string): string {
  if (address.includes(".")) {
    const bytes = address.split(".").map((byte) => Number(byte).toString(16).padStart(2, "0"))
    return `00000000000000000000ffff${bytes.join("")}`
  }
  const [head = "", tail = ""] = address.split("::")
  const missing = 8 - groups(head).length - groups(tail).length
  return [...groups(head), ...Array<string>(missing).fill("0000"), ...groups(tail)].join("")
}

describe("the planted networks", () => {
  test("own blocks of the addresses that are reserved for documentation", () => {
    const reserved = /^(192\.0\.2\.|198\.51\.100\.|203\.0\.113\.|2001:db8:|3fff:)/
    for (const { first, last } of ipRanges) {
      assert.match(first, reserved)
      assert.match(last, reserved)
      assert.isTrue(digits(first) < digits(last))
    }
    const addresses = dayOfEvents().map((event) => event.ip_address)
    assert.isTrue(addresses.every((address) => reserved.test(address)))
    isBetween(
      "IPv6",
      shareOf(addresses, (address) => address.includes(":")),
      0.1,
      0.35
    )
  })

  test("send as many sessions as planted; where blocks overlap, the smaller one's owner does", () => {
    const owners = new Map<string | undefined, number>()
    for (const session of daySessions()) {
      const address = digits(session[0]?.ip_address ?? "")
      const ranges = ipRanges.filter(
        ({ first, last }) => digits(first) <= address && address <= digits(last)
      )
      ranges.sort((one, other) => (digits(one.first) < digits(other.first) ? 1 : -1))
      const owner = ranges[0]?.name
      owners.set(owner, (owners.get(owner) ?? 0) + 1)
    }
    const planted = new Map<string, number>()
    for (const { name, percent } of ipRanges) {
      planted.set(name, (planted.get(name) ?? 0) + percent)
    }
    for (const [name, percent] of planted) {
      const found = (100 * (owners.get(name) ?? 0)) / daySessions().length
      isBetween(name, found, percent * 0.7, percent * 1.35)
    }
    isBetween("nobody", (owners.get(undefined) ?? 0) / daySessions().length, 0.15, 0.32)
  })

  test("businesses are named by some of their visitors' groups, and agree with the address", () => {
    const named = dayOfEvents().filter(({ groups }) => groups["company"] !== undefined)
    assert.isAbove(named.length, 200)
    const companies = new Set(named.map(({ groups }) => groups["company"]?.[0]))
    const businesses = ipRanges.filter(({ kind }) => kind === "business").map(({ name }) => name)
    assert.sameMembers([...companies], [...new Set(businesses)])
  })
})
