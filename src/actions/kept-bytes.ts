import { CpnError } from '../common/errors.ts'
import type { Pipeline } from '../protocol/pipeline.ts'
import type { NodeResult } from '../scheduler/scheduler.ts'

/** What a path, a digest and the names of the fields take in a line of predictions.jsonl, about. */
const lineFrame = 160
/** Names, times, attempts and indices of one input in the ledger, about. */
const ledgerFrame = 900
/** Names and similarities of a face. */
const nameBytes = 40

/** Bytes that came back for an image, and what they would take in OUT and in the ledger. */
export function keptBytes(answer: NodeResult | CpnError, pipeline: Pipeline) {
  if (answer instanceof CpnError) {
    const bytes = JSON.stringify(answer.toJSON()).length
    return { downBytes: bytes, copyBytes: 0, lineBytes: bytes + lineFrame, ledgerBytes: bytes + ledgerFrame }
  }
  const { faces, parts } = answer.answer
  const told = JSON.stringify(faces).length + (pipeline.kind === 'faces' ? nameBytes * faces.length : 0)
  const raw = parts.reduce((sum, { bytes }) => sum + bytes, 0)
  const copyBytes = answer.annotated?.length ?? 0
  return {
    downBytes: JSON.stringify(answer.answer).length + raw,
    copyBytes,
    lineBytes: told + lineFrame,
    ledgerBytes: told + raw - copyBytes + ledgerFrame,
  }
}
