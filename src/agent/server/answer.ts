import type { ServerResponse } from 'node:http'
import { headerLengthName } from '../../protocol/framing.ts'

/** The body of an answer: JSON followed by raw parts, cut anywhere. */
export interface Answer {
  body: Uint8Array[]
  /** How many bytes of the body are JSON. */
  jsonBytes: number
  /** Base64 sha256 of the body. */
  digest: string
}

/** Sends an answer with its length and digest. */
export function sendAnswer(response: ServerResponse, { body, jsonBytes, digest }: Answer): void {
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
