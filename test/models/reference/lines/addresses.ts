/** An IP address as one number: IPv6, with IPv4 mapped into it. Nothing if it is no address. */
export function addressOf(text: string | null): bigint | null {
  if (text === null) return null
  return text.includes(":") ? version6(text) : mapped(version4(text))
}

function mapped(address: bigint | null): bigint | null {
  return address === null ? null : (0xffffn << 32n) | address
}

function version4(text: string): bigint | null {
  const parts = text.split(".")
  const isAddress = parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part))
  if (!isAddress || parts.some((part) => Number(part) > 255)) return null
  return parts.reduce((sum, part) => (sum << 8n) | BigInt(part), 0n)
}

/** Groups of 16 bits, the last two of which may be written as an IPv4 address. */
function groupsOf(text: string): ReadonlyArray<string> | null {
  if (text === "") return []
  const groups = text.split(":")
  const last = groups.at(-1) as string
  if (!last.includes(".")) return groups
  const address = version4(last)
  if (address === null) return null
  return [...groups.slice(0, -1), (address >> 16n).toString(16), (address & 0xffffn).toString(16)]
}

function version6(text: string): bigint | null {
  const halves = text.split("::").map(groupsOf)
  const [left, right] = halves
  if (left === null || left === undefined || right === null || halves.length > 2) return null
  const missing = 8 - left.length - (right?.length ?? 0)
  if (right === undefined ? missing !== 0 : missing < 1) return null
  const groups = [...left, ...Array.from({ length: missing }, () => "0"), ...(right ?? [])]
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null
  return groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n)
}
