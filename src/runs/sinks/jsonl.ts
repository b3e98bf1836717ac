import { join } from 'node:path'
import { isForgotten } from '../job-record.ts'
import type { FinishedLine, Results } from './results.ts'
import { toldFaces } from './told-face.ts'
import { writeTextDurably } from './write-text.ts'

/** OUT/predictions.jsonl: all that is known of each input, in a line of its own, so that runs compare. */
export async function writeJsonl(results: Results): Promise<void> {
  await writeTextDurably(join(results.out, 'predictions.jsonl'), lines(results))
}

function* lines(results: Results): Iterable<string> {
  for (const line of results.lines({ embeddings: results.embeddings }))
    yield `${JSON.stringify(prediction(line, results))}\n`
}

function prediction({ name, job, state, result, error }: FinishedLine, about: Results): object {
  if (state !== 'done' || !result) return { path: name, sha256: job, state, error }
  const { width, height, embeddings, objects, labels } = result
  const { models } = about
  if (objects || labels) return { path: name, sha256: job, width, height, models, objects, labels }
  const faces = toldFaces(result).map(({ person, similarity, candidates, ...face }, index) => ({
    ...face,
    person,
    similarity,
    ...(candidates ? { candidates } : {}),
    ...(about.embeddings && embeddings && !isForgotten(embeddings[index]!)
      ? { embedding: Array.from(embeddings[index]!, (value) => Number(value.toFixed(6))) }
      : {}),
  }))
  return { path: name, sha256: job, width, height, models, faces }
}
