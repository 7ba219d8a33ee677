import type { Company, Report } from "../../programs/report/Report.ts"
import { figure, legend, missing, rows, square } from "./figure.ts"
import { type Html, html, name, path } from "./html.ts"
import { table } from "./table.ts"
import { dayText, fixed, number, percent, plural } from "./words.ts"

const DRAWN = 12

/** Who was there, as far as groups and networks tell. */
export function companiesFigure(found: Report["companies"]): Html {
  const { companies, otherCompanies, otherProviders, providers, sessions, unknownSessions } = found
  if (sessions === 0) return missing("No session is captured, so nobody was there.")
  const providerSessions = providers.reduce((sum, it) => sum + it.sessions, 0)
  const note = html`${plural(providerSessions, "session")} came through access providers and
  hosting, which do not tell whose they are; ${number(unknownSessions)} have neither a group nor an
  address in a named range.`
  if (companies.length === 0) {
    return html`${missing("No company is known by name. model --ip-ranges FILE names networks, and the group company, which your code sets, names customers.")}
      <p>${note}</p>
      ${providersTable(providers, otherProviders)}`
  }
  const [top] = companies
  const whose = top?.evidence === "group" ? "belong to the group" : "came from the network of"
  const title = html`${number(top?.sessions ?? 0)} of ${plural(sessions, "session")} ${whose}
  ${name(top?.company ?? "")}`
  const most = Math.max(...companies.map((it) => it.sessions))
  const drawn = companies.slice(0, DRAWN)
  return figure({
    title,
    sentence: html`A group is a customer that your own code names. A network is whoever holds the
    visitor's address, which may be an employer, or a host with guests. ${note}`,
    legend: legend([
      { mark: square("c-0"), text: "by group" },
      { mark: square("c-1"), text: "by network" }
    ]),
    picture: rows(
      drawn.map((it) => ({
        label: html`${name(it.company)} <i>${it.kind ?? it.evidence}</i>`,
        counts: number(it.sessions),
        title: `${number(it.sessions)} sessions`,
        height: 12,
        content: html`<rect
          class="${it.evidence === "group" ? "c-0" : "c-1"}"
          width="${fixed((it.sessions / most) * 100)}%"
          height="12"
        />`
      }))
    ),
    table: html`${companyTable("Companies", companies)}${
      otherCompanies === 0 ? html`` : html`<p>And ${number(otherCompanies)} more.</p>`
    }${providersTable(providers, otherProviders, sessions)}`
  })
}

function providersTable(providers: ReadonlyArray<Company>, others: number, all = 0): Html {
  if (providers.length === 0) return html``
  const share = providers.reduce((sum, it) => sum + it.sessions, 0) / Math.max(1, all)
  return html`<p>
      Access providers and
      hosting${all === 0 ? "" : `, with ${percent(share)} of all sessions`}${others === 0 ? "" : `, and ${number(others)} more`}:
    </p>
    ${companyTable("Access providers and hosting", providers)}`
}

function companyTable(caption: string, rows: ReadonlyArray<Company>): Html {
  return table(
    caption,
    [
      { head: "Name", cell: (it) => name(it.company) },
      { head: "Kind", cell: (it) => it.kind ?? "" },
      { head: "Evidence", cell: (it) => it.evidence },
      { head: "Sessions", isNumber: true, cell: (it) => number(it.sessions) },
      { head: "Visitors", isNumber: true, cell: (it) => number(it.visitors) },
      { head: "Page views", isNumber: true, cell: (it) => number(it.pageViews) },
      { head: "First", isDate: true, cell: (it) => dayText(it.firstSeen ?? "") },
      { head: "Last", isDate: true, cell: (it) => dayText(it.lastSeen ?? "") },
      { head: "Page most seen", cell: (it) => path(it.topPage, "none") }
    ],
    rows
  )
}
