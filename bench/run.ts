// `node bench/run.ts TABLE`: builds the program in a copy of this tree, so that dist/ stays as it is, and runs one table.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { builtCopy } from './built-copy.ts'
import { machine } from './machine.ts'
import { type Report, showReport } from './report.ts'

const name = process.argv[2] ?? ''
const file = join(import.meta.dirname, 'tables', `${name}.ts`)
if (!/^[a-z-]+$/.test(name) || !existsSync(file)) {
  console.error('usage: node bench/run.ts predict|start|provision|tunnel|links|memory')
  process.exit(2)
}
using copy = builtCopy(process.env.CPN_BIN)
// Read by test/helpers/cli.ts when the table is loaded.
process.env.CPN_BIN = copy.program
const { measure } = (await import(file)) as { measure: () => Promise<Report> }
showReport(machine(), await measure())
