import type { IncomingMessage, ServerResponse } from 'node:http'
import { toCpnError } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import { encodeError } from '../../protocol/wire-errors.ts'
import { Refusal, statusOf } from './refusal.ts'

export interface Exchange {
  request: IncomingMessage
  response: ServerResponse
  /** The parts of the path that stand for `:name` in the route, decoded. */
  params: Record<string, string>
  query: URLSearchParams
}

/** What a handler returns is sent as JSON with status 200; one that answers by itself returns nothing. */
export type Handler = (exchange: Exchange) => unknown

/** `METHOD /path/with/:params` to handler. */
export type Routes = Record<string, Handler>

/** Answers one request by the first route that fits; every error becomes a wire error. */
export function createRouter(routes: Routes, logger: Logger) {
  const table = Object.entries(routes).map(([key, handle]) => {
    const [method = '', path = ''] = key.split(' ')
    return { method, segments: path.split('/'), handle }
  })
  // Found without a search: most requests are for one of these.
  const fixed = new Map(Object.entries(routes).filter(([key]) => !key.includes(':')))
  const find = (method: string, target: string): Omit<Exchange, 'request' | 'response'> & { handle: Handler } => {
    const known = fixed.get(`${method} ${target}`)
    if (known) return { handle: known, params: {}, query: new URLSearchParams() }
    const { pathname, searchParams } = parseTarget(target)
    const path = pathname.split('/')
    const fitting = table.flatMap((route) => {
      const params = matchSegments(route.segments, path)
      return params ? [{ ...route, params }] : []
    })
    const route = fitting.find((one) => one.method === method)
    if (!route) throw unknownRoute(method, pathname, fitting.length > 0)
    return { ...route, query: searchParams }
  }
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const { handle, params, query } = find(request.method ?? '', request.url ?? '/')
      const result = await handle({ request, response, params, query })
      if (result !== undefined) sendJson(response, 200, result)
    } catch (error) {
      sendError(request, response, error, logger)
    }
  }
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length })
  response.end(body)
}

function sendError(request: IncomingMessage, response: ServerResponse, error: unknown, logger: Logger): void {
  const status = statusOf(error)
  if (status >= 500) logFailure(logger, request, error)
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  // A body that nobody read would stand in the way of the connection's next request.
  request.resume()
  const body = encodeError(error)
  // One that is too large is not worth the wait.
  if (status === 413) response.setHeader('connection', 'close')
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

/** Refusals are nothing to write home about; a bug is, with its stack. */
function logFailure(logger: Logger, { url, headers }: IncomingMessage, error: unknown): void {
  const { code, message } = toCpnError(error)
  const about = { url, run: headers['cpn-run'], job: headers['cpn-job'], attempt: headers['cpn-attempt'] }
  if (code === 'CPN_ERR_BUG') logger.error({ event: 'request-failed', err: error, ...about }, 'request failed')
  else if (!(error instanceof Refusal)) logger.warn({ event: 'request-failed', code, ...about }, message)
}

function parseTarget(target: string): URL {
  try {
    return new URL(target, 'http://agent')
  } catch {
    throw new Refusal(400, 'CPN_ERR_AGENT_PROTOCOL', `${target} is no request path`)
  }
}

function matchSegments(route: string[], path: string[]): Record<string, string> | undefined {
  if (route.length !== path.length) return undefined
  const params: Record<string, string> = {}
  for (const [i, segment] of route.entries()) {
    const actual = path[i] ?? ''
    if (segment.startsWith(':')) params[segment.slice(1)] = decode(actual)
    else if (segment !== actual) return undefined
  }
  return params
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new Refusal(400, 'CPN_ERR_AGENT_PROTOCOL', `${segment} is no valid part of a request path`)
  }
}

function unknownRoute(method: string, path: string, pathKnown: boolean): Refusal {
  return pathKnown
    ? new Refusal(405, 'CPN_ERR_AGENT_PROTOCOL', `${method} is not possible on ${path}`)
    : new Refusal(404, 'CPN_ERR_AGENT_PROTOCOL', `this agent has no ${path}`, {
        suggestions: ['Compare the protocol versions of master and agent; provision the host again.'],
      })
}
