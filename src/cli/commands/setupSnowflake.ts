import { Effect } from "effect"
import { EXIT } from "../../programs/run/exitCode.ts"
import {
  describeWarehouse,
  setupWarehouse,
  warehouseScript
} from "../../programs/setup/setupWarehouse.ts"
import type { WarehouseSetup } from "../../services/WarehouseSetup.ts"
import type { ReportOf } from "../json/outputs.ts"
import { warehouseSetupLayer } from "../layers.ts"
import type { SettingsOf } from "../settings/settingsOf.ts"
import { widthOf } from "../terminal/print.ts"
import { advised } from "../text/advice.ts"
import { accessText, scriptText, warehouseSetupText } from "../text/setup/warehouseSetupText.ts"
import { retryOf } from "./options.ts"
import { type Work, work } from "./Report.ts"

type Report = ReportOf<"setup snowflake">

/** Compares Snowflake with what a lake needs there, makes it, or shows how. */
export function setupSnowflake(settings: SettingsOf<"setup snowflake">): Work<Report> {
  const layer = warehouseSetupLayer(settings)
  if (settings.print) {
    return work<Report, WarehouseSetup>({
      layer,
      run: Effect.map(warehouseScript, (statements) => ({
        json: { statements },
        text: () => scriptText(statements),
        exitCode: EXIT.done
      }))
    })
  }
  if (settings.describe) {
    return work<Report, WarehouseSetup>({
      layer,
      run: Effect.map(describeWarehouse(retryOf(settings)), (access) => ({
        json: { access },
        text: () => accessText(access),
        exitCode: EXIT.done
      }))
    })
  }
  return work<Report, WarehouseSetup>({
    layer,
    run: Effect.gen(function* () {
      const { apply } = settings
      const { exitCode, items, place } = yield* setupWarehouse({ ...retryOf(settings), apply })
      const found = {
        place,
        items: items.map((it) => advisedPart(it, place)),
        exitCode
      }
      return {
        json: found,
        text: (terminal) => warehouseSetupText(found, widthOf(terminal)),
        exitCode
      }
    })
  })
}

type Item = Extract<Report, { readonly items: unknown }>["items"][number]

/** A refusal with what to check. Advice goes by the warehouse that a message names. */
function advisedPart(item: Item, place: string): Item {
  if (item.error !== "WarehouseError.AccessDenied") return item
  const told = advised({ error: item.error, message: `the warehouse "${place}": ${item.message}` })
  return { ...item, message: told.message.slice(`the warehouse "${place}": `.length) }
}
