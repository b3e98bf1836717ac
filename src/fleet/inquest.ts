import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentClient } from './agent-client.ts'

const askMs = 3000
const againMs = 20

/**
 * Finds out why connections to an agent have ended although its host is still there: whether its process has died, which
 * what was in work may be the cause of. A host that cannot be asked either has died of nothing.
 */
export class Inquest {
  /** Identity of the agent that the connections lead to. */
  instance = ''
  readonly #client: AgentClient
  readonly #over: AbortSignal
  #asked: Promise<boolean> | undefined
  #isClosed = false

  /** @param over aborts when the host is lost, or nobody wants to know any more */
  constructor(client: AgentClient, over: AbortSignal) {
    this.#client = client
    this.#over = over
  }

  /** All that ask at the same time get one answer. */
  hasDied(): Promise<boolean> {
    if (this.#asked) return this.#asked
    if (this.#isClosed) return Promise.resolve(false)
    const asked = this.#ask()
    this.#asked = asked
    // Alive now says nothing of later; the last answer stays.
    asked.then(() => {
      if (!this.#isClosed) this.#asked = undefined
    })
    return asked
  }

  /** Asks for the last time, before the connection is given up. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#asked ??= this.#ask()
    await this.#asked
  }

  async #ask(): Promise<boolean> {
    const limit = AbortSignal.any([this.#over, AbortSignal.timeout(askMs)])
    while (!limit.aborted) {
      try {
        const card = await this.#client.card(limit)
        return card.instance !== this.instance
      } catch (error) {
        const { code } = error as { code?: string }
        // Only a host that still answers can say that nobody listens there.
        if (code === 'CPN_ERR_AGENT_UNREACHABLE') return !this.#over.aborted
        // The question went over a connection that was about to end as well: the next one takes another, or a new one.
        if (code !== 'CPN_ERR_CONNECTION_LOST') return false
        await sleep(againMs, undefined, { signal: limit }).catch(() => undefined)
      }
    }
    return false
  }
}
