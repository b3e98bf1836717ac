import type { Machine } from './machine.ts'

/** Values of one thing over all rounds. */
export interface Series {
  median: number
  min: number
  max: number
}

export interface Row {
  what: string
  unit: string
  /** One value per round. */
  values: number[]
}

export interface Ratio {
  what: string
  /** One value per round, both sides measured in it. */
  values: number[]
  /** What has to hold of the median, e.g. `≥ 1.4`. */
  floor?: string
}

export interface Report {
  title: string
  rows: Row[]
  ratios: Ratio[]
  /** What was compared to know that both sides did the same work, and what was left out. */
  notes: string[]
}

export function series(values: number[]): Series {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const median = (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle) - 1]!) / 2
  return { median, min: sorted[0]!, max: sorted.at(-1)! }
}

/** Round by round, so that what else the machine does meets both sides. */
export function ratio(what: string, above: number[], below: number[], floor?: string): Ratio {
  const values = above.map((value, round) => value / below[round]!)
  return floor === undefined ? { what, values } : { what, values, floor }
}

export function showReport(machine: Machine, report: Report): void {
  const { title, rows, ratios, notes } = report
  const measured = rows.map(({ what, unit, values }) => ({ what, unit, ...series(values), values }))
  const compared = ratios.map(({ values, ...about }) => ({ ...about, ...series(values), values }))
  console.log(JSON.stringify({ title, machine, rows: measured, ratios: compared, notes }, null, 1))
  console.log(`\n${title}\n\n| what | median | min – max | floor |\n|---|---|---|---|`)
  for (const { what, unit, median, min, max } of measured) {
    console.log(`| ${what} | ${short(median)} ${unit} | ${short(min)} – ${short(max)} | |`)
  }
  for (const { what, floor = '', median, min, max } of compared) {
    console.log(`| ${what} | ${short(median)} × | ${short(min)} – ${short(max)} | ${floor} |`)
  }
  for (const note of notes) console.log(`\n${note}`)
}

function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}
