import { join } from 'node:path'
import type { Face } from '../../protocol/messages.ts'
import type { JobRecord } from '../job-record.ts'
import type { FinishedLine, Results } from './results.ts'
import { toldFaces } from './told-face.ts'
import { writeTextDurably } from './write-text.ts'

const columns = [
  'path',
  'sha256',
  'state',
  'width',
  'height',
  'number',
  'x',
  'y',
  'box_width',
  'box_height',
  'score',
  'label',
  'person',
  'similarity',
  'error_code',
  'error_message',
] as const

type Row = Partial<Record<(typeof columns)[number], string | number | null>>

/** OUT/predictions.csv (RFC 4180): a line per face, object or label, and one for each input without any. */
export async function writeCsv(results: Results): Promise<void> {
  await writeTextDurably(join(results.out, 'predictions.csv'), csvLines(results))
}

function* csvLines(results: Results): Iterable<string> {
  yield `${columns.join(',')}\r\n`
  for (const line of results.lines()) {
    for (const row of rowsOf(line)) yield `${columns.map((column) => cell(row[column] ?? null)).join(',')}\r\n`
  }
}

function rowsOf({ name, job, state, result, error }: FinishedLine): Row[] {
  const image: Row = { path: name, sha256: job, state }
  if (!result || state !== 'done') return [{ ...image, error_code: error?.code, error_message: error?.message }]
  Object.assign(image, { width: result.width, height: result.height })
  const rows = foundIn(result).map((found, index) => ({ ...image, number: index + 1, ...found }))
  return rows.length > 0 ? rows : [image]
}

function foundIn(result: JobRecord): Row[] {
  const { objects, labels } = result
  if (objects) return objects.map(({ box, score, label }) => ({ ...placeOf(box), score, label }))
  if (labels) return labels.map(({ label, score }) => ({ score, label }))
  return toldFaces(result).map(({ box, score, person, similarity }) => ({
    ...placeOf(box),
    score,
    person,
    similarity,
  }))
}

const placeOf = ([x, y, width, height]: Face['box']): Row => ({ x, y, box_width: width, box_height: height })

/** What spreadsheets take for the beginning of a formula, and the apostrophe that keeps them from it. */
const formula = /^[=+\-@＝＋－＠\t\r\n']/

/**
 * A text that a spreadsheet would run gets an apostrophe in front, as does one that begins with an apostrophe: taking the
 * first one away gives every text back.
 */
function cell(value: string | number | null): string {
  if (typeof value !== 'string') return value === null ? '' : `${value}`
  const text = formula.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
