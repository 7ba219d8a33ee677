/** Browsers and phones, and the version of Amplitude's SDK that each site or app has there. */
import type { HierarchyForm } from "./hierarchy.ts"

export interface Sdk {
  readonly library: string
  readonly form: HierarchyForm
  /** Whether it tells the page and the campaign of every event, views by id, and rage and dead clicks. */
  readonly isRecent: boolean
}

const recent: Sdk = { library: "amplitude-ts/2.48.1", form: "array", isRecent: true }
const older: Sdk = { library: "amplitude-ts/2.16.1", form: "cut", isRecent: false }
const oldest: Sdk = { library: "amplitude-ts/2.11.9", form: "python", isRecent: false }
const swift: Sdk = { library: "amplitude-swift/1.13.4", form: "array", isRecent: true }
const kotlin: Sdk = { library: "amplitude-kotlin/1.20.3", form: "array", isRecent: true }

export interface Device {
  readonly weight: number
  readonly platform: "Web" | "iOS" | "Android"
  readonly isPhone: boolean
  readonly sdk: Sdk
  /** From `device_brand` to `device_type`, without carrier and id. */
  readonly family: string
  readonly type: string
  readonly os: string
}

function device(
  weight: number,
  platform: Device["platform"],
  sdk: Sdk,
  [osName, osVersion, family, type]: readonly [string, string, string, string]
): Device {
  return {
    weight,
    platform,
    isPhone: platform !== "Web" || type === "Apple iPhone",
    sdk,
    family: `"${family}"`,
    type: `"${type}"`,
    os: `"os_name":"${osName}","os_version":"${osVersion}"`
  }
}

export const browsers: ReadonlyArray<Device> = [
  device(34, "Web", recent, ["Chrome", "138", "Windows", "Windows"]),
  device(18, "Web", recent, ["Safari", "18.5", "Mac OS X", "Mac"]),
  device(24, "Web", recent, ["Mobile Safari", "18.5", "iOS", "Apple iPhone"]),
  device(14, "Web", older, ["Firefox", "140", "Linux", "Linux"]),
  device(10, "Web", oldest, ["Edge", "137", "Windows", "Windows"])
]

export const phones: ReadonlyArray<Device> = [
  device(5, "iOS", swift, ["ios", "18.5", "Apple iPhone", "Apple iPhone 15 Pro"]),
  device(4, "Android", kotlin, ["android", "15", "Google Phone", "Google Pixel 9"]),
  device(3, "Android", kotlin, ["android", "14", "Samsung Phone", "Galaxy S23"])
]
