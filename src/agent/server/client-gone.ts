import type { ServerResponse } from 'node:http'
import { CpnError } from '../../common/errors.ts'

/** Aborts when the connection closes before the answer is out. */
export function clientGone(response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  response.once('close', () => {
    if (response.writableFinished) return
    controller.abort(new CpnError('CPN_ERR_INTERRUPTED', 'the client went away before its answer', { retryable: true }))
  })
  return controller.signal
}
