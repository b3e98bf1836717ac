import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { encodeFrame, headerLengthName } from '../../protocol/framing.ts'

const stepBytes = 2 ** 20

/** Sends JSON followed by raw parts, with length and digest. */
export async function sendFrame(response: ServerResponse, json: unknown, parts: Uint8Array[]): Promise<void> {
  const { body, jsonBytes } = encodeFrame(json, parts)
  const digest = await digestInSteps(body)
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': body.length,
    'content-digest': `sha-256=:${digest}:`,
    [headerLengthName]: jsonBytes,
  })
  response.end(body)
}

/** Base64 sha256; between steps the event loop gets its turn, so that a large answer delays no heartbeat. */
async function digestInSteps(body: Buffer): Promise<string> {
  const hash = createHash('sha256')
  for (let start = 0; start < body.length; start += stepBytes) {
    if (start > 0) await setImmediate()
    hash.update(body.subarray(start, start + stepBytes))
  }
  return hash.digest('base64')
}
