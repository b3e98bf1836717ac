import { isErrorCode } from '../../common/error-codes.ts'
import { CpnError } from '../../common/errors.ts'
import type { FromWorker } from '../worker-messages.ts'

/** The error of a job whose worker died; `reason` names the signal or the exit code. */
export function crashed(reason: string): CpnError {
  return new CpnError('CPN_ERR_WORKER_CRASHED', `the worker process ended by ${reason} while it had the image`, {
    retryable: true,
    suggestions: ['Look at `cpn logs` for what the worker said before it died.'],
  })
}

/** The error that a worker answered with. */
export function workerError({
  code,
  message,
  retryable,
  suggestions,
}: Extract<FromWorker, { type: 'failed' }>['error']) {
  return new CpnError(isErrorCode(code) ? code : 'CPN_ERR_BUG', message, { retryable, suggestions })
}
