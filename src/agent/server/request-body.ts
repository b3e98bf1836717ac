import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { CpnError } from '../../common/errors.ts'
import { Refusal } from './refusal.ts'

export const maxBodyBytes = 256 * 2 ** 20

/** A slow link is no reason to give up, one on which nothing comes any more is. */
const stalledMs = 60_000

/** Content-Length of a request that must have one within the limit: 411, 413. */
export function requireLength(request: IncomingMessage): number {
  const length = request.headers['content-length']
  if (length === undefined) {
    throw new Refusal(411, 'CPN_ERR_AGENT_PROTOCOL', 'the request has no Content-Length', {
      suggestions: ['Send the body with its length, not in chunks.'],
    })
  }
  const bytes = Number(length)
  if (bytes <= maxBodyBytes) return bytes
  throw new Refusal(413, 'CPN_ERR_IMAGE_TOO_LARGE', `the image has ${bytes} bytes; ${maxBodyBytes} are the limit`)
}

/**
 * Reads the whole body, in the pieces in which it comes, and hashes each, so that a large one never blocks the event loop
 * for long. Stops when the signal aborts; rejects with CPN_ERR_DIGEST_MISMATCH when the body ends early or stops coming.
 */
export async function readBody(request: IncomingMessage, bytes: number, signal: AbortSignal) {
  const pieces: Buffer[] = []
  const hash = createHash('sha256')
  let received = 0
  const onStalled = () => request.destroy(new Error(`nothing came for ${stalledMs} ms`))
  try {
    request.socket.setTimeout(stalledMs, onStalled)
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      signal.throwIfAborted()
      pieces.push(chunk)
      received += chunk.length
      hash.update(chunk)
    }
  } catch (cause) {
    throw mismatch(`the body ended after ${received} of ${bytes} bytes`, cause)
  } finally {
    request.socket.setTimeout(0)
    request.socket.off('timeout', onStalled)
  }
  return { pieces, digest: hash.digest() }
}

/** Throws unless the digest of the body is the one in Content-Digest and the one that names the job. */
export function checkDigest(request: IncomingMessage, digest: Buffer, job: string): void {
  checkContentDigest(request, digest)
  if (digest.toString('hex') !== job) throw mismatch('the body is not the image that the job is named after')
}

export function checkContentDigest(request: IncomingMessage, digest: Buffer): void {
  const announced = sha256Of(request.headers['content-digest'])
  if (!announced.equals(digest)) throw mismatch('the body does not have the digest of its Content-Digest')
}

/** The sha-256 of a Content-Digest header (RFC 9530), which may list other algorithms too. */
export function sha256Of(header: string | string[] | undefined): Buffer {
  const match = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):/.exec(String(header ?? ''))
  if (!match?.[1]) {
    throw new Refusal(400, 'CPN_ERR_DIGEST_MISMATCH', 'the request has no Content-Digest with a sha-256')
  }
  return Buffer.from(match[1], 'base64')
}

function mismatch(message: string, cause?: unknown): CpnError {
  return new CpnError('CPN_ERR_DIGEST_MISMATCH', message, { retryable: true, cause })
}
