import { join } from 'node:path'
import { isForgotten } from './job-record.ts'
import type { InputLine, Ledger, RunCounts } from './ledger.ts'
import { writeFileDurably } from './write-file.ts'

/** summary.json and `predict --json`. inputs = done + failed + quarantined + skipped + pending, always. */
export interface Summary extends Omit<RunCounts, 'bytes'> {
  run: string
  /** Files that are no images, neither by name nor by content. */
  ignored: number
  seconds: number
  imagesPerSecond: number
}

/** Writes OUT/predictions.jsonl from the ledger: a line per finished input, ordered by path, so that runs compare. */
export async function writePredictions(
  ledger: Ledger,
  run: string,
  out: string,
  { embeddings = false }: { embeddings?: boolean } = {},
): Promise<void> {
  await writeFileDurably(join(out, 'predictions.jsonl'), async (file) => {
    let text = ''
    for (const line of ledger.lines(run)) {
      if (line.state === 'queued') continue
      text += `${JSON.stringify(predictionLine(line, embeddings))}\n`
      if (text.length > 1 << 20) {
        await file.writeFile(text)
        text = ''
      }
    }
    await file.writeFile(text)
  })
}

export async function writeSummary(out: string, summary: Summary): Promise<void> {
  await writeFileDurably(join(out, 'summary.json'), async (file) => {
    await file.writeFile(`${JSON.stringify(summary, null, 2)}\n`)
  })
}

function predictionLine({ name, job, state, result, error }: InputLine, withEmbeddings: boolean): object {
  if (state !== 'done' || !result) return { path: name, sha256: job, state, error }
  const { width, height, embeddings, objects, labels } = result
  if (objects || labels) return { path: name, sha256: job, width, height, objects, labels }
  const faces = result.faces.map(({ sharpness: _, person = null, similarity = null, ...face }, index) => ({
    ...face,
    person,
    similarity,
    ...(withEmbeddings && embeddings && !isForgotten(embeddings[index]!)
      ? { embedding: Array.from(embeddings[index]!, (value) => Number(value.toFixed(6))) }
      : {}),
  }))
  return { path: name, sha256: job, width, height, faces }
}
