import { isErrorCode } from '../common/error-codes.ts'
import { CpnError, toCpnError } from '../common/errors.ts'
import { wireErrorSchema } from './messages.ts'

/** A CpnError as the body of an answer. Causes stay where they happened. */
export function encodeError(error: unknown): string {
  const { code, message, retryable, suggestions } = toCpnError(error)
  return JSON.stringify({ error: { code, message, retryable, suggestions } })
}

/** The CpnError that an answer's body carries; anything else is a breach of protocol. */
export function decodeError(status: number, body: string, host?: string): CpnError {
  const parsed = wireErrorSchema.safeParse(parseJson(body))
  if (!parsed.success) {
    return new CpnError('CPN_ERR_AGENT_PROTOCOL', `the agent answered HTTP ${status} without an error body`, { host })
  }
  const { code, message, retryable, suggestions } = parsed.data.error
  if (isErrorCode(code)) return new CpnError(code, message, { host, retryable, suggestions })
  return new CpnError('CPN_ERR_AGENT_PROTOCOL', `the agent answered ${code}: ${message}`, { host, retryable })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
