import type { ServerResponse } from 'node:http'
import { CpnError } from '../../common/errors.ts'
import { decodePredictHeaders } from '../../protocol/headers.ts'
import type { PredictAnswer } from '../../protocol/messages.ts'
import type { EpochGuard } from '../epochs.ts'
import type { JobGate } from '../job-gate.ts'
import type { WorkerPool } from '../pool/worker-pool.ts'
import { sendFrame } from './answer.ts'
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
    const { body, digest } = await readBody(request, bytes, signal)
    checkDigest(request, digest, headers.job)
    const { pipeline, deadlineMs } = headers
    const result = await pool.run({ image: body, pipeline, deadlineMs, signal })
    epochs.check(headers.run, headers.epoch)
    const { job, attempt, epoch } = headers
    const answer: PredictAnswer = { job, attempt, epoch, ...result.answer }
    await sendFrame(response, answer, result.parts)
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
