import type { Transport } from '../transport/transport.ts'
import type { AgentClient } from './agent-client.ts'

const askMs = 3000

/**
 * Finds out why connections to an agent have ended although its host is still there: whether its process has died, which
 * what was in work may be the cause of. A host that cannot be asked either has died of nothing.
 */
export class Inquest {
  /** Identity of the agent that the connections lead to. */
  instance = ''
  readonly #client: AgentClient
  readonly #transport: Transport
  #asked: Promise<boolean> | undefined
  #isClosed = false

  constructor(client: AgentClient, transport: Transport) {
    this.#client = client
    this.#transport = transport
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
    const { lost } = this.#transport
    if (lost.aborted) return false
    try {
      const card = await this.#client.card(AbortSignal.any([lost, AbortSignal.timeout(askMs)]))
      return card.instance !== this.instance
    } catch (error) {
      // Only a host that still answers can say that nobody listens there.
      return !lost.aborted && (error as { code?: string }).code === 'CPN_ERR_AGENT_UNREACHABLE'
    }
  }
}
