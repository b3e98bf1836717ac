import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'

/** Lower-case hex sha256 of bytes or of a string's UTF-8. */
export function sha256(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex')
}

// Node.js' 64 KiB at a time cost more than the digest itself.
const readBytes = 1 << 20

/** Lower-case hex sha256 of a file, streamed. */
export async function sha256File(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path, { highWaterMark: readBytes }), hash, { signal })
  return hash.digest('hex')
}

/** Content-Digest header value (RFC 9530) of a body. */
export function contentDigest(body: Uint8Array): string {
  return `sha-256=:${createHash('sha256').update(body).digest('base64')}:`
}

/** The same for a body whose sha256 (hex) is known. */
export function contentDigestOf(hex: string): string {
  return `sha-256=:${Buffer.from(hex, 'hex').toString('base64')}:`
}

/** JSON with sorted keys at every depth, so that equal values have equal digests. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    item !== null && typeof item === 'object' && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  )
}
