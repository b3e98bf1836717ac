import type { ErrorCode } from '../../common/error-codes.ts'
import { CpnError, type CpnErrorOptions, toCpnError } from '../../common/errors.ts'

/** An error with an HTTP status of its own, where the code alone does not say it. */
export class Refusal extends CpnError {
  readonly status: number

  constructor(status: number, code: ErrorCode, message: string, options?: CpnErrorOptions) {
    super(code, message, options)
    this.status = status
  }
}

const statusByCode: Partial<Record<ErrorCode, number>> = {
  CPN_ERR_AGENT_PROTOCOL: 400,
  CPN_ERR_DIGEST_MISMATCH: 400,
  CPN_ERR_STALE_EPOCH: 409,
  CPN_ERR_IMAGE_UNSUPPORTED: 422,
  CPN_ERR_IMAGE_DECODE: 422,
  CPN_ERR_IMAGE_TOO_LARGE: 422,
  CPN_ERR_IMAGE_TIMEOUT: 422,
  CPN_ERR_GALLERY_MISSING: 424,
  CPN_ERR_MODEL_MISSING: 424,
  CPN_ERR_MODEL_DIGEST: 424,
  CPN_ERR_MODEL_INVALID: 424,
  CPN_ERR_AGENT_BUSY: 429,
  // Nobody is left to read it; the log shows it.
  CPN_ERR_INTERRUPTED: 499,
  CPN_ERR_AGENT_DRAINING: 503,
  CPN_ERR_JOB_TIMEOUT: 504,
}

/** HTTP status of an error; 500 is a bug of ours or the death of a worker. */
export function statusOf(error: unknown): number {
  return error instanceof Refusal ? error.status : (statusByCode[toCpnError(error).code] ?? 500)
}
