export { version } from "../programs/run/version.ts"
