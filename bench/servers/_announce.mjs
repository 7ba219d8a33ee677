/**
 * Listens on a free port, sends it to the parent process, answers the parent's messages, and ends with it.
 *
 * @param {import("node:http").Server} server
 * @param {(message: any) => object} answer
 */
export function announce(server, answer) {
  process.on("message", (message) => process.send?.(answer(message)))
  process.once("disconnect", () => process.exit())
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    process.send?.({ url: `http://127.0.0.1:${typeof address === "object" && address?.port}` })
  })
}
