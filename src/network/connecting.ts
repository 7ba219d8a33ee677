/**
 * How long one address of a host may take to connect before the next is tried, in milliseconds. Node's 250 are too few for a
 * far host: with an unreachable IPv6 address beside a slow IPv4 one, no attempt would ever succeed.
 */
export const CONNECTING = { autoSelectFamily: true, autoSelectFamilyAttemptTimeout: 3000 } as const
