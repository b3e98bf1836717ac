import type { ServerResponse } from 'node:http'
import { CpnError } from '../../common/errors.ts'
import { decodePredictHeaders } from '../../protocol/headers.ts'
import type { EpochGuard } from '../epochs.ts'
import type { JobGate } from '../job-gate.ts'
import type { WorkerPool } from '../pool/worker-pool.ts'
import { sendAnswer } from './answer.ts'
import { checkDigest, readBody, requireLength, sha256Of } from './request-body.ts'
import type { Handler } from './router.ts'

export interface PredictParts {
  pool: WorkerPool
  gate: JobGate
  epochs: EpochGuard
}

/** POST /cpn/v1/predict. What can be refused is refused before the image is read. */
export function predictHandler({ pool, gate, epochs }: PredictParts): Handler {
  return async ({ request, response }) => {
    const bytes = requireLength(request)
    sha256Of(request.headers['content-digest'])
    const headers = decodePredictHeaders(request.headers)
    epochs.check(headers.run, headers.epoch)
    using _slot = gate.enter()
    const signal = clientGone(response)
    const { image, digest } = await readBody(request, bytes, signal)
    checkDigest(request, digest, headers.job)
    const { job, attempt, epoch, pipeline, deadlineMs } = headers
    const answer = await pool.run({ order: { job, attempt, epoch, pipeline }, image, deadlineMs, signal })
    epochs.check(headers.run, headers.epoch)
    sendAnswer(response, answer)
  }
}

/** Aborts when the connection closes before the answer is out. */
function clientGone(response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  response.once('close', () => {
    if (response.writableFinished) return
    controller.abort(new CpnError('CPN_ERR_INTERRUPTED', 'the client went away before its answer', { retryable: true }))
  })
  return controller.signal
}
