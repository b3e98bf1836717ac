import { CpnError } from '../../common/errors.ts'
import type { Pipeline } from '../../protocol/pipeline.ts'
import type { NodeResult } from '../../scheduler/scheduler.ts'

/** What path, digest, models and the names of the fields take in a line of predictions.jsonl, and in index.html, about. */
const lineFrame = 260
const pageFrame = 120
/** Of a face, as text. */
const embeddingBytes = 1400
/** Names, times, attempts and indices of one input in the ledger, about. */
const ledgerFrame = 900
/** Names and similarities of a face. */
const nameBytes = 40

/**
 * Bytes that came back for an image, and what they would take in OUT and in the ledger.
 * @param embeddings whether predictions.jsonl tells them
 */
export function keptBytes(answer: NodeResult | CpnError, pipeline: Pipeline, embeddings: boolean) {
  if (answer instanceof CpnError) {
    const bytes = JSON.stringify(answer.toJSON()).length
    const lines = { lineBytes: bytes + lineFrame, pageBytes: bytes + pageFrame, ledgerBytes: bytes + ledgerFrame }
    return { downBytes: bytes, copyBytes: 0, ...lines }
  }
  const { faces, objects, classes, parts } = answer.answer
  const told =
    JSON.stringify({ faces, objects, classes }).length + (pipeline.kind === 'faces' ? nameBytes * faces.length : 0)
  const raw = parts.reduce((sum, { bytes }) => sum + bytes, 0)
  const copyBytes = answer.annotated?.length ?? 0
  return {
    downBytes: JSON.stringify(answer.answer).length + raw,
    copyBytes,
    lineBytes: told + lineFrame + (embeddings ? embeddingBytes * faces.length : 0),
    // As base64.
    pageBytes: (4 / 3) * (answer.thumbnail?.length ?? 0) + pageFrame,
    ledgerBytes: told + raw - copyBytes + ledgerFrame,
  }
}
