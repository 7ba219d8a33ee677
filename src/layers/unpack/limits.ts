/** Entries of one archive: a year of hours in 20 parts each. */
export const MAX_ENTRIES = 200_000
/** Bytes of the central directory. */
export const MAX_DIRECTORY_BYTES = 256 * 1024 ** 2
/** Bytes of all lines of one archive. The Export API itself stops at 4 GB, compressed. */
export const MAX_LINES_BYTES = 200e9
/** Bytes of one line. */
export const MAX_LINE_BYTES = 64 * 1024 ** 2
/** The most that an entry may expand; deflate itself reaches about 1032. */
export const MAX_RATIO = 1100
