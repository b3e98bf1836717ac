import { decodePredictHeaders } from '../../protocol/headers.ts'
import type { EpochGuard } from '../epochs.ts'
import type { GalleryShelf } from '../gallery-shelf.ts'
import type { JobGate } from '../job-gate.ts'
import type { WorkerPool } from '../pool/worker-pool.ts'
import { sendAnswer } from './answer.ts'
import { clientGone } from './client-gone.ts'
import { checkDigest, readBody, requireLength, sha256Of } from './request-body.ts'
import type { Handler } from './router.ts'

export interface PredictParts {
  pool: WorkerPool
  gate: JobGate
  epochs: EpochGuard
  galleries: GalleryShelf
}

/** POST /cpn/v1/predict. What can be refused is refused before the image is read. */
export function predictHandler({ pool, gate, epochs, galleries }: PredictParts): Handler {
  return async ({ request, response }) => {
    const bytes = requireLength(request)
    sha256Of(request.headers['content-digest'])
    const { run, deadlineMs, ...order } = decodePredictHeaders(request.headers)
    epochs.check(run, order.epoch)
    const gallery = order.matching && galleries.get(order.matching.gallery)
    using _slot = gate.enter()
    const signal = clientGone(response)
    const { pieces, digest } = await readBody(request, bytes, signal)
    checkDigest(request, digest, order.job)
    const answer = await pool.run({ order, image: pieces, gallery, deadlineMs, signal })
    epochs.check(run, order.epoch)
    sendAnswer(response, answer)
  }
}
