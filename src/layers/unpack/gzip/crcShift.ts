/** CRC-32's polynomial, the bit of the highest power left out and that of the lowest first. */
const POLYNOMIAL = 0xedb88320
/** The polynomial 1. */
const ONE = 0x80000000 | 0

/** The product of two polynomials modulo CRC-32's. Without branches, which no processor could predict. */
function multiply(one: number, other: number): number {
  let [left, right, product] = [one, other, 0]
  for (let bit = 0; bit < 32; bit++) {
    product ^= (left >> 31) & right
    left <<= 1
    right = (right >>> 1) ^ (-(right & 1) & POLYNOMIAL)
  }
  return product
}

/** x to the power of 2^n. */
const squares: Array<number> = [ONE >>> 1]
while (squares.length < 32) {
  const last = squares.at(-1) ?? ONE
  squares.push(multiply(last, last))
}

/** x to the power of 8 bits for each byte. */
function powerOf(bytes: number): number {
  let power = ONE
  for (let left = bytes, n = 3; left > 0; left = Math.floor(left / 2), n++) {
    if (left % 2 === 1) power = multiply(squares[n % 32] ?? ONE, power)
  }
  return power
}

/** Powers for the lengths of most lines. No power is 0. */
const known = new Int32Array(64 * 1024)

/**
 * What a CRC-32 becomes when more bytes follow: that of `a` followed by `b` is `shiftCrc(crcOfA, bytesOfB) ^ crcOfB`.
 *
 * Source: zlib's crc32_combine, https://github.com/madler/zlib/blob/v1.3.1/crc32.c
 */
export function shiftCrc(crc: number, bytes: number): number {
  if (bytes >= known.length) return multiply(powerOf(bytes), crc)
  let power = known[bytes] ?? 0
  if (power === 0) known[bytes] = power = powerOf(bytes)
  return multiply(power, crc)
}

const NEWLINE_CRC = 0x32d70693 | 0

/** The CRC-32 of all bytes, from those of their lines. */
export function crcOfLines() {
  let crc = 0
  return {
    /** Adds bytes, by their CRC-32 and how many they are. */
    add: (more: number, bytes: number) => {
      crc = shiftCrc(crc, bytes) ^ more
    },
    newline: () => {
      crc = shiftCrc(crc, 1) ^ NEWLINE_CRC
    },
    soFar: () => crc
  }
}
