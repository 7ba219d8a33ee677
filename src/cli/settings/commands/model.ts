import { text } from "../parse.ts"
import { settingsUnder } from "../setting.ts"

const { optional } = settingsUnder("Models:")

export const modelSettings = {
  sites: optional({
    flag: "--sites <file>",
    help: "CSV with host,path_prefix,site: what replaces the table sites",
    parse: text
  }),
  ipRanges: optional({
    flag: "--ip-ranges <file>",
    help: "CSV with first,last,asn,name[,kind]: address ranges and who holds them, as the open ASN lists have them; what replaces the table ip_ranges",
    parse: text
  })
} as const
