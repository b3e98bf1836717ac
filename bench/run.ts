// `node bench/run.ts TABLE`: builds the program in a copy of this tree, so that dist/ stays as it is, and runs one table.
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { builtCopy } from './built-copy.ts'
import { machine } from './machine.ts'
import { type Report, showReport } from './report.ts'

const name = process.argv[2] ?? ''
const tables = join(import.meta.dirname, 'tables')
const names = readdirSync(tables).map((file) => basename(file, '.ts'))
if (!names.includes(name)) {
  console.error(`usage: node bench/run.ts ${names.join('|')}`)
  process.exit(2)
}
using copy = builtCopy(process.env.CPN_BIN)
// Read by test/helpers/cli.ts when the table is loaded.
process.env.CPN_BIN = copy.program
const { measure } = (await import(join(tables, `${name}.ts`))) as { measure: () => Promise<Report> }
showReport(machine(), await measure())
