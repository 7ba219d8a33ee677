/**
 * The commands that only read.
 *
 * @module
 */
import { Chunk, Effect, Layer, Option, Stream } from "effect"
import { checkSetup } from "../../programs/inspect/checkSetup.ts"
import { compareLakes } from "../../programs/inspect/compareLakes.ts"
import { statusOfHours } from "../../programs/inspect/statusOfHours.ts"
import { verifyHours } from "../../programs/inspect/verifyHours.ts"
import { EXIT } from "../../programs/run/exitCode.ts"
import { makeRetryPolicy } from "../../programs/run/retryPolicy.ts"
import { hourOfKey } from "../../services/HourKey.ts"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import { testMessage } from "../alerts.ts"
import {
  clockLayer,
  foldersLayer,
  sourceLayer,
  stagingLayer,
  storeLayer,
  targetLayer,
  unpackerLayer,
  warehouseLayer,
  webhookLayer
} from "../layers.ts"
import type { ReportOf } from "../json/outputs.ts"
import { loadSettings } from "../settings/commands/load.ts"
import type { SettingsOf, Store } from "../settings/settingsOf.ts"
import { widthOf } from "../terminal/print.ts"
import { advised, advisedCheck } from "../text/advice.ts"
import { calendarText, canvasOf } from "../text/calendar.ts"
import { checkText, listText } from "../text/printed.ts"
import { comparisonText } from "../text/lake/comparisonText.ts"
import { verificationText } from "../text/verificationText.ts"
import { datesOf, retryOf } from "./options.ts"
import { type Work, work } from "./Report.ts"
import { writePage } from "../report/writePage.ts"

/** Programs look into a warehouse if there is one. */
function warehouseIfAsked(
  settings: Pick<SettingsOf<"status">, "snowflake" | "store" | "warehouse" | "warehouseFile">
) {
  return settings.warehouse === undefined ? Layer.empty : warehouseLayer(settings)
}

export function status(settings: SettingsOf<"status">): Work<ReportOf<"status">> {
  return work({
    layer: Layer.mergeAll(
      clockLayer(settings),
      storeLayer(settings),
      stagingLayer(settings),
      warehouseIfAsked(settings)
    ),
    run: Effect.gen(function* () {
      const { place } = yield* ObjectStorage
      const options = {
        ...datesOf(settings),
        ...retryOf(settings),
        settleHours: settings.settleHours,
        withEvents: settings.events,
        prefix: settings.store.prefix
      }
      const found = yield* statusOfHours(options)
      if (settings.html !== undefined) {
        const { calendarPage } = yield* Effect.promise(() => import("../report/calendarPage.ts"))
        yield* writePage(settings.html, calendarPage(found, place))
      }
      return {
        json: found,
        text: (terminal) =>
          calendarText(found, {
            place,
            canvas: canvasOf(terminal),
            store: settings.store,
            isShaded: settings.events
          }),
        exitCode: found.exitCode
      }
    })
  })
}

export function list(settings: SettingsOf<"list">): Work<ReportOf<"list">> {
  return work({
    layer: storeLayer(settings),
    run: Effect.gen(function* () {
      const store = yield* ObjectStorage
      const policy = yield* makeRetryPolicy(retryOf(settings))
      const found = Chunk.toReadonlyArray(yield* policy.retry(Stream.runCollect(store.list)))
      const objects = found
        .map(({ key, size }) => {
          const hour = Option.getOrNull(Option.map(hourOfKey(key), (keyed) => keyed.hour))
          return { hour, size, key }
        })
        .sort((one, other) => (one.key < other.key ? -1 : 1))
      if (objects.length === 0)
        yield* Effect.logInfo(
          `There are no objects in ${store.place}: if that is unexpected, check --prefix`
        )
      return { json: { objects }, text: () => listText(objects), exitCode: EXIT.done }
    })
  })
}

export function check(settings: SettingsOf<"check">): Work<ReportOf<"check">> {
  const { lagHours, testWebhook, webhook } = settings
  return work({
    layer: Layer.mergeAll(
      sourceLayer(settings.source),
      clockLayer(settings),
      storeLayer(settings),
      foldersLayer(settings),
      unpackerLayer(settings),
      warehouseLayer(settings),
      testWebhook && webhook !== undefined ? webhookLayer(webhook) : Layer.empty
    ),
    run: Effect.gen(function* () {
      const tried = yield* checkSetup({
        lagHours,
        settleHours: settings.settleHours,
        testMessage: yield* testMessage("check", settings),
        expectsWarehouse: settings.warehouseFile !== loadSettings.warehouseFile.fallback
      })
      const checks = tried.checks
        .map((it) => advised(it, settings.source))
        .map((it) => advisedCheck(it, tried))
      const found = { ...tried, checks }
      return {
        json: found,
        text: (terminal) => checkText(found, widthOf(terminal)),
        exitCode: found.exitCode
      }
    })
  })
}

export function verify(settings: SettingsOf<"verify">): Work<ReportOf<"verify">> {
  const { target } = settings
  if (target !== undefined) return compare({ ...settings, target })
  return work({
    layer: Layer.mergeAll(
      clockLayer(settings),
      storeLayer(settings),
      unpackerLayer(),
      warehouseIfAsked(settings)
    ),
    run: Effect.gen(function* () {
      const { place } = yield* ObjectStorage
      const options = {
        ...datesOf(settings),
        prefix: settings.store.prefix,
        ...retryOf(settings),
        concurrency: settings.concurrency,
        settleHours: settings.settleHours,
        maxDuration: settings.maxDuration,
        sample: settings.sample,
        sampleSeed: settings.sampleSeed,
        strict: settings.strict,
        parse: settings.parse
      }
      const verified = yield* verifyHours(options)
      const found = { ...verified, failed: verified.failed.map((it) => advised(it)) }
      return {
        json: found,
        text: () => verificationText(found, place),
        exitCode: found.exitCode
      }
    })
  })
}

/** `verify --against`. */
function compare(
  settings: SettingsOf<"verify"> & { readonly target: Store }
): Work<ReportOf<"verify">> {
  return work({
    layer: Layer.mergeAll(
      clockLayer(settings),
      storeLayer(settings),
      targetLayer(settings),
      unpackerLayer()
    ),
    run: Effect.gen(function* () {
      const { place } = yield* ObjectStorage
      const compared = yield* compareLakes({
        ...datesOf(settings),
        ...retryOf(settings),
        concurrency: settings.concurrency,
        settleHours: settings.settleHours,
        maxDuration: settings.maxDuration
      })
      const found = { ...compared, failed: compared.failed.map((it) => advised(it)) }
      return { json: found, text: () => comparisonText(found, place), exitCode: found.exitCode }
    })
  })
}
