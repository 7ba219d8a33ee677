/** A loaded hour: its lines that are not empty, in order. */
export interface LandedHour {
  /** Such as `2025-11-10T21`. */
  readonly hour: string
  readonly loadId: string
  readonly lines: ReadonlyArray<string>
  readonly redacted: number
}

export interface CalendarHour {
  readonly hour: string
  readonly state: string
  /** Microseconds since 1970. */
  readonly seenAt: number
}

export interface SiteName {
  readonly host: string
  readonly pathPrefix: string
  readonly site: string
}

export interface PairedItem {
  readonly site: string
  readonly label: string
  readonly name: string
}

export interface AddressRange {
  readonly first: string
  readonly last: string
  readonly asn: number | null
  readonly company: string | null
  readonly kind: string | null
}

/** All that the models read. */
export interface World {
  readonly hours: ReadonlyArray<LandedHour>
  readonly calendar: ReadonlyArray<CalendarHour>
  readonly sites: ReadonlyArray<SiteName>
  readonly menuItems: ReadonlyArray<PairedItem>
  readonly ipRanges: ReadonlyArray<AddressRange>
  /** Where these stand: in the seed, or in the user's table, which then counts instead. */
  readonly rangesIn: "seed" | "table"
}
