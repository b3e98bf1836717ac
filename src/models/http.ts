import type { Dispatcher } from 'undici'
import { CpnError, systemErrorCode } from '../common/errors.ts'

/** Milliseconds each wait of a download may take. */
export interface HttpDeadlines {
  connectMs: number
  /** From the request to the answer's headers. */
  headersMs: number
  /** Between two pieces of the body. */
  idleMs: number
}

/** A failure that no other network would help: bytes that came and are wrong. */
export class DownloadFault extends CpnError {}

export type HttpAnswer = Dispatcher.ResponseData

const mostRedirects = 5

/**
 * GETs an address and hands the answer to `work`; the connection is gone afterwards. HTTP_PROXY, HTTPS_PROXY and
 * NO_PROXY count. Redirects are followed. Throws CPN_ERR_MODEL_DOWNLOAD with what went wrong, in a few words, and the system's
 * error where `work` could not write.
 */
export async function httpGet<T>(
  url: string,
  headers: Record<string, string>,
  { connectMs, headersMs, idleMs }: HttpDeadlines,
  signal: AbortSignal,
  work: (answer: HttpAnswer) => Promise<T>,
): Promise<T> {
  // Most runs download nothing.
  const { EnvHttpProxyAgent, interceptors, request } = (await import('undici')).default
  const agent = new EnvHttpProxyAgent({
    // Its client for HTTP/2 is left out of the build.
    allowH2: false,
    connectTimeout: connectMs,
    headersTimeout: headersMs,
    bodyTimeout: idleMs,
  })
  const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: mostRedirects }))
  try {
    const answer = await request(url, { dispatcher, headers: { 'accept-encoding': 'identity', ...headers }, signal })
    // What is left unread when the connection is destroyed is nobody's error
    answer.body.on('error', () => {})
    return await work(answer)
  } catch (error) {
    signal.throwIfAborted()
    throw error instanceof CpnError ? error : describe(error, { connectMs, headersMs, idleMs })
  } finally {
    await agent.destroy()
  }
}

/** A failed connection in words; `retryable` where it broke in the middle. A disk's error as it is. */
function describe(error: unknown, deadlines: HttpDeadlines): unknown {
  const cause = rootCause(error)
  const code = systemErrorCode(cause) ?? ''
  if (isOfDisk(cause, code)) return cause
  const [message, retryable] = known(code, deadlines) ?? [cause instanceof Error ? cause.message : String(cause), false]
  return new CpnError('CPN_ERR_MODEL_DOWNLOAD', message, { cause: error, retryable })
}

const ofDisk = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EACCES', 'EPERM', 'EIO', 'EMFILE', 'ENFILE'])

/** Firewalls forbid connections by some of the same codes. */
const isOfDisk = (error: unknown, code: string): boolean =>
  ofDisk.has(code) && (error as NodeJS.ErrnoException).syscall !== 'connect'

function known(code: string, { connectMs, headersMs, idleMs }: HttpDeadlines): [string, boolean] | undefined {
  const reasons: Record<string, [string, boolean]> = {
    ENOTFOUND: ['the name does not resolve', false],
    EAI_AGAIN: ['the name does not resolve', false],
    ECONNREFUSED: ['the connection was refused', false],
    ENETUNREACH: ['the network is unreachable', false],
    EHOSTUNREACH: ['the host is unreachable', false],
    UND_ERR_CONNECT_TIMEOUT: [`no connection within ${connectMs / 1000} s`, false],
    UND_ERR_HEADERS_TIMEOUT: [`no answer within ${headersMs / 1000} s`, false],
    UND_ERR_BODY_TIMEOUT: [`nothing came for ${idleMs / 1000} s`, true],
    UND_ERR_SOCKET: ['the connection was cut', true],
    ECONNRESET: ['the connection was cut', true],
    EPIPE: ['the connection was cut', true],
  }
  return reasons[code]
}

function rootCause(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return rootCause(error.errors[0])
  const cause = (error as Error | undefined)?.cause
  return cause === undefined || systemErrorCode(error) !== undefined ? error : rootCause(cause)
}
