import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import {
  answerError,
  type Headers,
  hider,
  httpDate,
  messageOf,
  retryAfter
} from "../../../src/layers/http/amplitudeAnswer.ts"
import { Hour } from "../../../src/services/Hour.ts"
import { Window } from "../../../src/services/Window.ts"

const hour = Hour.make("2025-11-10T00")
const window = new Window({ first: hour, last: hour })

function judge(
  status: number,
  body = "",
  headers: Headers = {},
  origin = "https://analytics.eu.amplitude.com"
) {
  const hide = hider(["canary-key"])
  return answerError({ window, origin, status, headers, body, now: 0, hide })
}

function amplitudeSays(message: string, details?: string): string {
  const metadata = details === undefined ? {} : { metadata: { details } }
  return JSON.stringify({ error: { http_code: 400, type: "invalid", message, ...metadata } })
}

describe("answerError()", () => {
  for (const [status, reason, isTransient] of [
    [202, "Rejected", false],
    [206, "Rejected", false],
    [301, "Redirected", false],
    [304, "Redirected", false],
    [308, "Redirected", false],
    [400, "Rejected", false],
    [401, "Unauthorized", false],
    [402, "Rejected", false],
    [403, "Forbidden", false],
    [405, "Rejected", false],
    [407, "Rejected", false],
    [408, "Unavailable", true],
    [410, "Rejected", false],
    [413, "TooLarge", false],
    [414, "Rejected", false],
    [425, "Unavailable", true],
    [429, "RateLimited", true],
    [431, "Rejected", false],
    [451, "Rejected", false],
    [500, "Unavailable", true],
    [502, "Unavailable", true],
    [503, "Unavailable", true],
    [504, "GatewayTimeout", true],
    [529, "Unavailable", true]
  ] as const) {
    it(`takes ${status} for ${reason}`, () => {
      const error = judge(status)
      assert.deepStrictEqual(
        [error.reason, error.status, error.isTransient],
        [reason, status, isTransient]
      )
      assert.isNotEmpty(error.detail)
    })
  }

  for (const said of [
    amplitudeSays("Export size exceeds the limit"),
    amplitudeSays("Bad request", "The result exceeds the maximum file size of 4 GB"),
    amplitudeSays("Requested data is too large"),
    amplitudeSays("Please use a smaller time range"),
    amplitudeSays("Try a shorter date range, please"),
    JSON.stringify({ error: "Data is over 4GB" }),
    "The file size is larger than 4GB, query a shorter time range",
    "<html><title>Export too large</title><body>400</body></html>"
  ]) {
    it(`halves a window after a 400 that reads ${said}`, () => {
      assert.strictEqual(judge(400, said).reason, "TooLarge")
    })
  }

  for (const said of [
    amplitudeSays("Invalid chart definition", "Invalid user property country"),
    amplitudeSays("Invalid date range"),
    amplitudeSays("Rate limit exceeded"),
    amplitudeSays("Invalid start", "start must not lie after end"),
    "<html><title>400 Request Header Or Cookie Too Large</title></html>",
    "Request-URI too large",
    "{not json",
    ""
  ]) {
    it(`does not halve a window after a 400 that reads ${said || "nothing"}`, () => {
      assert.strictEqual(judge(400, said).reason, "Rejected")
    })
  }

  it("repeats Amplitude's message, or gives the status if there is none", () => {
    const body = amplitudeSays("Invalid chart definition", "Invalid user property country")
    assert.strictEqual(
      judge(400, body).detail,
      "Invalid chart definition: Invalid user property country"
    )
    assert.strictEqual(judge(502).detail, "Bad Gateway")
    assert.strictEqual(judge(599).detail, "no reason given")
  })

  it("repeats why keys are refused, and leaves advice to the entry point", () => {
    const forbidden = judge(403, amplitudeSays("Forbidden", "Invalid API Key")).detail
    assert.strictEqual(forbidden, "Forbidden: Invalid API Key")
    assert.strictEqual(judge(401).detail, "Unauthorized")
  })

  it("names of a redirect's target the origin alone", () => {
    const location = "https://user:password@evil.example:8443/login?token=secret#top"
    const { detail } = judge(302, "", { location })
    assert.include(detail, "https://evil.example:8443,")
    assert.notMatch(detail, /user|password|login|token|secret|top/)
    assert.include(judge(302, "", { location: "/login" }).detail, "analytics.eu.amplitude.com")
    assert.include(judge(302, "", { location: "http://[" }).detail, "nowhere")
    assert.include(judge(302).detail, "nowhere")
  })

  it("keeps a detail short, on one line and free of keys", () => {
    const { detail } = judge(500, `a canary-key\r\n\u0000\u001b[31mb\u202e ${"🙂".repeat(400)}`)
    assert.match(detail, /^a \*\*\* \[31mb 🙂+$/u)
    assert.lengthOf(Array.from(detail), 300)
  })

  it("passes Retry-After on for whatever status", () => {
    assert.strictEqual(judge(429, "", { "retry-after": "7" }).retryAfter, 7000)
    assert.strictEqual(judge(503, "", { "retry-after": "8" }).retryAfter, 8000)
    assert.isUndefined(judge(429).retryAfter)
  })
})

describe("messageOf()", () => {
  for (const [body, message] of [
    ['{"error":"Invalid API key"}', "Invalid API key"],
    ['{"message":"Slow down","details":"5 at once"}', "Slow down: 5 at once"],
    ['{"error":{"metadata":{"details":"only these"}}}', "only these"],
    ['{"error":{"message":"twice","metadata":{"details":"twice"}}}', "twice"],
    ['{"error":{"message":7}}', '{"error":{"message":7}}'],
    ['"text"', '"text"'],
    ["null", "null"],
    ['{"errors":["a\\/b"]}', '{"errors":["a/b"]}'],
    ["<p>a&#43;b&#x2F;c &lt;&amp;&gt; &nbsp;</p>", "a+b/c <&> &nbsp;"],
    ["<p>&#x110000;&#999999;&#99999;</p>", "&#x110000;&#999999;\u{1869f}"],
    ["  plain\n\ttext ", "plain text"],
    [
      "<html><head><title> 502 Bad\nGateway </title></head><body>x</body></html>",
      "502 Bad Gateway"
    ],
    [
      "<!DOCTYPE html><style>p{}</style><script>if (1 < 2) x()</script><p>Sorry, <b>gone</b>",
      "Sorry, gone"
    ],
    ["<h1>Nothing</h1>", "Nothing"],
    ["a < b", "a < b"],
    ["", ""]
  ] as const) {
    it(`reads ${JSON.stringify(body)}`, () => assert.strictEqual(messageOf(body), message))
  }
})

describe("hider()", () => {
  it("takes out every form of a secret, also within a word", () => {
    const hide = hider(["a+b/c=", "plain", ""])
    assert.strictEqual(hide("xa+b/c=x a%2Bb%2Fc%3D plainplain y"), "x***x *** ****** y")
    assert.strictEqual(hide('{"cut off: a+b\\/c='), '{"cut off: ***')
    assert.strictEqual(hider(['say "key"'])('{"a":"say \\"key\\""}'), '{"a":"***"}')
  })
})

describe("httpDate()", () => {
  it("reads the three forms of HTTP dates as UTC", () => {
    for (const text of [
      "Sun, 06 Nov 1994 08:49:37 GMT",
      "Sunday, 06-Nov-94 08:49:37 GMT",
      "Sun Nov  6 08:49:37 1994"
    ]) {
      assert.deepStrictEqual(httpDate(text), Option.some(784_111_777_000))
    }
  })

  it("reads nothing else", () => {
    for (const text of [undefined, "", "soon", "5 apples", "Sun, nonsense GMT", "120"]) {
      assert.deepStrictEqual(httpDate(text), Option.none())
    }
  })
})

describe("retryAfter()", () => {
  const date = "Thu, 20 Nov 2025 10:00:00 GMT"
  const now = Date.parse("2025-11-20T10:00:30Z")

  it("reads seconds", () => {
    assert.strictEqual(retryAfter({ "retry-after": "120" }, now), 120_000)
    assert.strictEqual(retryAfter({ "retry-after": " 1.5 " }, now), 1500)
    assert.strictEqual(retryAfter({ "retry-after": ["3", "9"] }, now), 3000)
  })

  it("reads an HTTP date against the answer's own Date, or against the clock if there is none", () => {
    const until = "Thu, 20 Nov 2025 10:01:00 GMT"
    assert.strictEqual(retryAfter({ "retry-after": until, date }, now), 60_000)
    assert.strictEqual(retryAfter({ "retry-after": until }, now), 30_000)
    assert.strictEqual(retryAfter({ "retry-after": until, date: "broken" }, now), 30_000)
  })

  it("never waits for the past", () => {
    assert.strictEqual(retryAfter({ "retry-after": "-5" }, now), 0)
    assert.strictEqual(retryAfter({ "retry-after": "0" }, now), 0)
    assert.strictEqual(retryAfter({ "retry-after": "Thu, 20 Nov 2025 09:00:00 GMT", date }, now), 0)
  })

  it("is absent if Amplitude sends none, or one that cannot be read", () => {
    assert.isUndefined(retryAfter({}, now))
    assert.isUndefined(retryAfter({ "retry-after": "soon" }, now))
    assert.isUndefined(retryAfter({ "retry-after": "2025-11-20" }, now))
  })
})
