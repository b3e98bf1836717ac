import { join } from 'node:path'
import type { RunCounts } from './ledger.ts'
import { writeFileDurably } from './write-file.ts'

/** summary.json and `predict --json`. inputs = done + failed + quarantined + skipped + pending, always. */
export interface Summary extends Omit<RunCounts, 'bytes'> {
  run: string
  /** Files that are no images, neither by name nor by content. */
  ignored: number
  /** Results that could not be written while the rest was, if any. */
  unwritten?: number
  /** The pipeline that did the work in the place of persons, and why; absent where it did what it was asked. */
  instead?: { pipeline: string; because: string }
  seconds: number
  imagesPerSecond: number
}

export async function writeSummary(out: string, summary: Summary): Promise<void> {
  await writeFileDurably(join(out, 'summary.json'), async (file) => {
    await file.writeFile(`${JSON.stringify(summary, null, 2)}\n`)
  })
}
