import type { ServerResponse } from 'node:http'
import type { AgentEvent, Heartbeat, NodeCard } from '../../protocol/messages.ts'

const heartbeatMs = 1000

export interface EventSource {
  card: () => NodeCard
  heartbeat: () => Heartbeat
}

/** The listeners of GET /cpn/v1/events and their common beat. */
export class EventStream {
  readonly #source: EventSource
  readonly #listeners = new Set<ServerResponse>()
  #timer: NodeJS.Timeout | undefined

  constructor(source: EventSource) {
    this.#source = source
  }

  /** Begins with `register`; heartbeats follow until goodbye. */
  add(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' })
    write(response, { event: 'register', card: this.#source.card(), heartbeat: this.#source.heartbeat() })
    this.#listeners.add(response)
    response.once('close', () => this.#remove(response))
    this.#timer ??= setInterval(() => this.#beat(), heartbeatMs)
  }

  /** Tells everybody that the agent ends, and closes the streams. */
  close(reason: string): void {
    clearInterval(this.#timer)
    for (const response of this.#listeners) {
      write(response, { event: 'goodbye', reason })
      response.end()
    }
    this.#listeners.clear()
  }

  #beat(): void {
    const heartbeat = this.#source.heartbeat()
    for (const response of this.#listeners) {
      // Who does not read gets the next one: heartbeats must not pile up.
      if (!response.writableNeedDrain) write(response, heartbeat)
    }
  }

  #remove(response: ServerResponse): void {
    this.#listeners.delete(response)
    if (this.#listeners.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

function write(response: ServerResponse, event: AgentEvent): void {
  response.write(`${JSON.stringify(event)}\n`)
}
