import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A real HTTP server on a free port of the loopback; ends with its connections. */
export interface FileServer extends AsyncDisposable {
  /** Without an ending slash. */
  readonly url: string
  /** `GET /path range`, in the order they came. */
  readonly requests: string[]
}

/** @param answers by path; what has none is 404 */
export async function serveFiles(answers: Record<string, Answer>): Promise<FileServer> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.url} ${request.headers.range ?? ''}`.trim())
    const answer = answers[request.url ?? '']
    if (answer) answer(request, response)
    else response.writeHead(404, { 'content-type': 'text/plain' }).end('not here')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  return { url: `http://127.0.0.1:${port}`, requests, [Symbol.asyncDispose]: close }
}

/** Sends a file as a good server does, also a part of it. */
export function wholeFile(bytes: Buffer): Answer {
  return (request, response) => {
    const from = rangeStart(request)
    const head = { 'content-length': bytes.length - from, ...contentRange(bytes, from) }
    response.writeHead(from > 0 ? 206 : 200, head).end(bytes.subarray(from))
  }
}

/** Promises the rest of the file and cuts the connection after so many bytes of it. */
export function cutAfter(bytes: Buffer, sent: number): Answer {
  return (request, response) => {
    const from = rangeStart(request)
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': bytes.length - from, ...contentRange(bytes, from) })
    response.write(bytes.subarray(from, from + sent), () => response.destroy())
  }
}

function rangeStart(request: IncomingMessage): number {
  return Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
}

function contentRange(bytes: Buffer, from: number): Record<string, string> {
  return from > 0 ? { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {}
}
