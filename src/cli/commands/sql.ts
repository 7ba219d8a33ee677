/**
 * The command that answers a query from the warehouse.
 *
 * @module
 */
import { text as textOf } from "node:stream/consumers"
import { Effect, Stream } from "effect"
import { queryWarehouse } from "../../programs/answer/queryWarehouse.ts"
import { EXIT } from "../../programs/run/exitCode.ts"
import { CommandError } from "../CommandError.ts"
import { answeringLayer } from "../layers.ts"
import type { SettingsOf } from "../settings/settingsOf.ts"
import { widthOf, write } from "../terminal/print.ts"
import { answerText } from "../text/answerText.ts"
import { retryOf } from "./options.ts"
import { noText, type Work, work } from "./Report.ts"

/** Prints the rows as they come. */
export function sql(settings: SettingsOf<"sql">): Work<undefined> {
  return work({
    layer: answeringLayer(settings),
    run: Effect.gen(function* () {
      const query = settings.query === "-" ? yield* standardInput : settings.query
      const { columns, rows } = yield* queryWarehouse({ ...retryOf(settings), sql: query })
      const format = settings.output ?? (process.stdout.isTTY ? "table" : "csv")
      const text = answerText(format, columns, widthOf(process.stdout))
      const isRead = yield* Stream.runFoldWhileEffect(
        rows,
        true,
        (isOpen) => isOpen,
        (_, some) => write(text.rows(some))
      )
      if (isRead) yield* write(text.end())
      return { text: noText, exitCode: EXIT.done }
    }).pipe(Effect.scoped)
  })
}

const standardInput = Effect.tryPromise({
  try: () => textOf(process.stdin),
  catch: () =>
    new CommandError({
      message: "Cannot read the query from standard input",
      exitCode: EXIT.usage
    })
})
