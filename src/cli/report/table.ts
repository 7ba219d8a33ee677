import { Html, html, short } from "./html.ts"

interface Column<Row> {
  readonly head: string
  readonly isNumber?: boolean
  readonly isDate?: boolean
  /** Left out where the page is narrow. */
  readonly isForRoom?: boolean
  readonly cell: (row: Row) => Html | string
}

/** With more columns, a table is printed smaller. */
const MANY = 5

/** A table in a frame of its own, which scrolls where it is wider than the page. */
export function table<Row>(
  caption: string,
  columns: ReadonlyArray<Column<Row>>,
  rows: ReadonlyArray<Row>
): Html {
  const kind = ({ isDate = false, isForRoom = false, isNumber = false }: Column<Row>) => {
    const names = [isNumber ? "n" : isDate ? "d" : "", isForRoom ? "w" : ""].filter(Boolean)
    return new Html(names.length === 0 ? "" : ` class="${names.join(" ")}"`)
  }
  return html`<div class="wide" role="group" aria-label="${short(caption)}" tabindex="0">
    <table${new Html(columns.length > MANY ? ' class="many"' : "")}>
      <thead>
        <tr>
          ${columns.map((it) => html`<th scope="col" ${kind(it)}>${it.head}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${columns.map((it) => html`<td${kind(it)}>${it.cell(row)}</td>`)}
            </tr> `
        )}
      </tbody>
    </table>
  </div>`
}
