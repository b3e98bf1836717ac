// `node bench/accuracy.ts [NAME…]`: how right cpn is, on the shared photographs and models; reads and writes nothing else.
import { existsSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { shared } from '../test/helpers/shared.ts'
import type { Row } from './accuracy/row.ts'

/** A file of bench/accuracy that measures: an exported function measure…, and the sets of photographs it wants. */
interface Part {
  needs?: string[]
  [name: string]: unknown
}

const folder = join(import.meta.dirname, 'accuracy')
const asked = process.argv.slice(2)
const leftOut: string[] = []
console.log('| what | value (95 %) | floor | reference | detail |\n|---|---|---|---|---|')
for (const file of readdirSync(folder).sort()) {
  const name = basename(file, '.ts')
  const part = (await import(join(folder, file))) as Part
  const measures = Object.entries(part).filter(([key, value]) => key.startsWith('measure') && value instanceof Function)
  if (measures.length === 0 || (asked.length > 0 && !asked.includes(name))) continue
  const missing = [...(part.needs ?? []).map((set) => ['photos', set]), ['models']]
    .filter((path) => !existsSync(shared(...path)))
    .map((path) => shared(...path))
  if (missing.length > 0) leftOut.push(`${name}: ${missing.join(', ')} missing`)
  else for (const [, measure] of measures) await show(measure as () => Promise<Row[]>)
}
for (const line of leftOut) console.log(`\nleft out: ${line}`)

async function show(measure: () => Promise<Row[]>): Promise<void> {
  for (const { name, value, floor, reference = '', detail = '' } of await measure()) {
    console.log(`| ${[name, value, floor, reference, detail].join(' | ')} |`)
  }
}
