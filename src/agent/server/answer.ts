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
    'content-length': body.reduce((bytes, piece) => bytes + piece.length, 0),
    'content-digest': `sha-256=:${digest}:`,
    [headerLengthName]: jsonBytes,
  })
  response.cork()
  for (const piece of body) response.write(piece)
  response.end()
}

/** Base64 sha256; between steps the event loop gets its turn, so that a large answer delays no heartbeat. */
async function digestInSteps(body: Uint8Array[]): Promise<string> {
  const hash = createHash('sha256')
  for (const piece of body) {
    for (let start = 0; start < piece.length; start += stepBytes) {
      if (start > 0) await setImmediate()
      hash.update(piece.subarray(start, start + stepBytes))
    }
  }
  return hash.digest('base64')
}
