/**
 * The tables that users fill: their sites, and the networks of companies.
 *
 * @module
 */
import { Effect } from "effect"
import ipaddr from "ipaddr.js"
import type { IpRange } from "../../services/Warehouse.ts"
import { type CsvRecord, parseCsv } from "./csv.ts"
import { ModelError } from "./ModelError.ts"

/** How many wrong lines a message names. */
const NAMED = 5

/** Reads each record, or fails with every line that is wrong. */
function readAll<A>(
  what: string,
  records: Iterable<CsvRecord>,
  read: (fields: ReadonlyArray<string>) => A | string
): Effect.Effect<ReadonlyArray<A>, ModelError> {
  const rows: Array<A> = []
  const wrong: Array<string> = []
  for (const { fields, line } of records) {
    const row = read(fields)
    if (typeof row === "string") wrong.push(`line ${line}: ${row}`)
    else rows.push(row)
  }
  if (wrong.length === 0) return Effect.succeed(rows)
  const more = wrong.length > NAMED ? `; and ${wrong.length - NAMED} more lines` : ""
  const detail = `${what}: ${wrong.slice(0, NAMED).join("; ")}${more}`
  return new ModelError({ reason: "BadLines", detail })
}

/** The networks of a CSV text: `first,last,asn,name[,kind]`, with or without a line of names. */
export function readIpRanges(text: string): Effect.Effect<ReadonlyArray<IpRange>, ModelError> {
  return readAll("the address ranges", withoutNames(parseCsv(text), /^first(_ip)?$/i), rangeOf)
}

function rangeOf(fields: ReadonlyArray<string>): IpRange | string {
  const [from = "", to = "", asn = "", name = "", kind = "", ...more] = fields.map((it) =>
    it.trim()
  )
  if (fields.length < 4 || more.length > 0) {
    return `${fields.length} fields, and a range has first,last,asn,name[,kind]`
  }
  const [first, last] = [addressOf(from), addressOf(to)]
  if (first === undefined) return `"${from}" is no address`
  if (last === undefined) return `"${to}" is no address`
  if (first.kind() !== last.kind()) return `${from} and ${to} are of different versions of IP`
  if (Buffer.compare(bytesOf(first), bytesOf(last)) > 0) return `${to} is before ${from}`
  if (!/^(AS)?\d{1,10}$/i.test(asn) && asn !== "") return `"${asn}" is no number of a network`
  return {
    first: first.toString(),
    last: last.toString(),
    asn: asn === "" ? null : BigInt(asn.replace(/^AS/i, "")),
    company: name === "" ? null : name,
    kind: kind === "" ? "unknown" : kind
  }
}

type Address = ipaddr.IPv4 | ipaddr.IPv6

function bytesOf(address: Address): Uint8Array {
  return Uint8Array.from(address.toByteArray())
}

const LARGEST_V4 = 2n ** 32n - 1n
const LARGEST_V6 = 2n ** 128n - 1n

/** An address as text or as a decimal number, which is of IPv4 where it can be. */
function addressOf(text: string): Address | undefined {
  if (/^\d{1,39}$/.test(text)) {
    const number = BigInt(text)
    if (number > LARGEST_V6) return undefined
    const size = number <= LARGEST_V4 ? 4 : 16
    const digits = number.toString(16).padStart(size * 2, "0")
    return ipaddr.fromByteArray([...Buffer.from(digits, "hex")])
  }
  if (text.includes(":") && ipaddr.IPv6.isValid(text) && !text.includes("%")) {
    return ipaddr.IPv6.parse(text)
  }
  return ipaddr.IPv4.isValidFourPartDecimal(text) ? ipaddr.IPv4.parse(text) : undefined
}

const SITE_COLUMNS = ["host", "path_prefix", "site"] as const

/** The sites of a CSV text: `host,path_prefix,site`, with or without a line of names. */
export const readSites = Effect.fnUntraced(function* (
  text: string
): Effect.fn.Return<ReadonlyArray<ReadonlyArray<string>>, ModelError> {
  const seen = new Set<string>()
  return yield* readAll("the sites", withoutNames(parseCsv(text), /^host$/i), (fields) => {
    const [host = "", path = "", site = ""] = fields.map((it) => it.trim())
    if (fields.length !== SITE_COLUMNS.length) {
      return `${fields.length} fields, and a site has ${SITE_COLUMNS.join(",")}`
    }
    if (!/^[^\s/:?#@]+(:\d+)?$/.test(host)) return `"${host}" is no host, such as shop.example.com`
    if (path !== "" && !path.startsWith("/")) return `"${path}" does not begin with a slash`
    if (site === "") return "the site has no name"
    const place = `${host.toLowerCase().replace(/^www\.|:\d+$/g, "")} ${path.replaceAll(/^\/+|\/+$/g, "")}`
    if (seen.has(place)) return `${host}${path} was named before`
    seen.add(place)
    return [host, path, site]
  })
})

/** Leaves out a first line that names the columns. */
function* withoutNames(records: Iterable<CsvRecord>, first: RegExp): Generator<CsvRecord> {
  let isFirst = true
  for (const record of records) {
    if (!isFirst || !first.test(record.fields[0]?.trim() ?? "")) yield record
    isFirst = false
  }
}
