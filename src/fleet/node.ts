import type { Clock } from '../common/clock.ts'
import { CpnError, toCpnError } from '../common/errors.ts'
import type { Logger } from '../common/logger.ts'
import type { Host } from '../inventory/inventory.ts'
import type { AgentEvent, Heartbeat, NodeCard } from '../protocol/messages.ts'
import { protocolVersion } from '../protocol/version.ts'
import type { AttemptRequest, NodeResult, SchedulableNode } from '../scheduler/scheduler.ts'
import type { Connector } from '../transport/connector.ts'
import type { Transport } from '../transport/transport.ts'
import type { AgentClient } from './agent-client.ts'
import { connectAgent, loadClient } from './connect-agent.ts'

export type NodeState = 'unprovisioned' | 'ready' | 'degraded' | 'draining' | 'stopped' | 'unreachable'

export interface NodeOptions {
  connector: Connector
  fleetId: string
  clock: Clock
  /** Uniform in [0, 1). */
  random: () => number
  logger: Logger
  /** Called on each new connection before the node gets work, e.g. to send models that it lacks. */
  prepare?: (host: Host, transport: Transport, card: NodeCard, signal: AbortSignal) => Promise<void>
  /** False: an agent that is down is reported, not started. Default true. */
  startIfDown?: boolean
  /** Called when a host cannot be used as it is, e.g. to provision it. Resolves to true when a new try makes sense. */
  repair?: (host: Host, error: CpnError, signal: AbortSignal) => Promise<boolean>
  onChange: () => void
}

/** Heartbeats queue behind answers on a slow link; that the link itself is alive is watched by the transport. */
const heartbeatTimeoutMs = 20_000
const maxPauseMs = 15_000
/** More than any node has slots; each is opened only when it is needed. */
const connections = 256

/** A refused login or key does not get better by repetition, and repeating it gets the master banned. */
const final = new Set([
  'CPN_ERR_AUTH_FAILED',
  'CPN_ERR_IDENTITY',
  'CPN_ERR_HOST_KEY_UNKNOWN',
  'CPN_ERR_HOST_KEY_CHANGED',
  'CPN_ERR_HOST_KEY_REVOKED',
])

/** One host's agent over its whole life: connects, listens to heartbeats, reconnects with growing pauses. */
export class FleetNode implements SchedulableNode {
  readonly host: Host
  state: NodeState = 'unreachable'
  card: NodeCard | undefined
  heartbeat: Heartbeat | undefined
  /** Why the node is not usable. */
  error: CpnError | undefined
  /** Verified host key of the last connection (SHA256:…). */
  hostKey: string | undefined
  /** Resolves when the first try to reach the agent has ended, either way. */
  readonly settled: Promise<void>

  readonly #options: NodeOptions
  readonly #settle: () => void
  #client: AgentClient | undefined
  /** The last connection was good for work. */
  #worked = false

  constructor(host: Host, options: NodeOptions) {
    this.host = host
    this.#options = options
    const { promise, resolve } = Promise.withResolvers<void>()
    this.settled = promise
    this.#settle = resolve
  }

  get name(): string {
    return this.host.name
  }

  get slots(): number {
    return this.state === 'ready' || this.state === 'degraded' ? (this.card?.slots ?? 0) : 0
  }

  async predict(request: AttemptRequest): Promise<NodeResult> {
    if (!this.#client) throw this.#lost('the node is not connected')
    return this.#client.predict(request)
  }

  /** Keeps the node connected until the signal aborts or a retry makes no sense. Never rejects. */
  async live(signal: AbortSignal): Promise<void> {
    const { clock, random, logger, repair } = this.#options
    for (let failures = 0; !signal.aborted; failures++) {
      const error = await this.#session(signal).catch(toCpnError)
      if (signal.aborted) break
      if (this.#worked) failures = 0
      this.#leave(error)
      if (await repair?.(this.host, error, signal).catch((cause) => this.#leave(toCpnError(cause)))) continue
      this.#settle()
      if (final.has(error.code)) return
      const pause = Math.min(maxPauseMs, 250 * 2 ** failures) * (0.5 + random() / 2)
      logger.info({ host: this.name, code: error.code, reason: error.message, pause }, 'node lost')
      await clock.sleep(pause, signal).catch(() => {})
    }
    this.#settle()
  }

  /** One connection from its start to its end; always ends by throwing. */
  async #session(signal: AbortSignal): Promise<never> {
    const { connector, fleetId, prepare, startIfDown } = this.#options
    const opening = connector.open(this.host, signal)
    // Begun while the host answers; connectAgent tells of a failure.
    loadClient().catch(() => undefined)
    await using transport = await opening
    this.hostKey = transport.hostKey
    const options = { host: this.host, fleetId, connections, startIfDown, signal }
    await using client = await connectAgent(transport, options)
    const ended = AbortSignal.any([signal, transport.lost])
    try {
      for await (const event of this.#watched(client, ended)) {
        if (event.event === 'register') {
          if (event.card.protocol !== protocolVersion) throw this.#otherProtocol(event.card.protocol)
          this.card = event.card
          await prepare?.(this.host, transport, event.card, ended)
          this.#client = client
          this.error = undefined
        }
        this.#hear(event)
        this.#settle()
      }
    } finally {
      this.#disconnected()
    }
    throw this.#lost('the agent ended the connection')
  }

  /** Takes no more work from now on: disconnecting for good may take a while. */
  #disconnected(): void {
    this.#worked = this.slots > 0
    this.#client = undefined
    if (!this.#worked) return
    this.state = 'unreachable'
    this.#options.onChange()
  }

  /** The agent's events; silence for longer than a few heartbeats ends the connection. */
  async *#watched(client: AgentClient, signal: AbortSignal): AsyncGenerator<AgentEvent> {
    const silence = new AbortController()
    const giveUp = () => silence.abort(this.#lost(`no heartbeat for ${heartbeatTimeoutMs / 1000} s`))
    let timer = setTimeout(giveUp, heartbeatTimeoutMs)
    try {
      for await (const event of client.events(AbortSignal.any([signal, silence.signal]))) {
        clearTimeout(timer)
        yield event
        timer = setTimeout(giveUp, heartbeatTimeoutMs)
      }
    } finally {
      clearTimeout(timer)
    }
  }

  #hear(event: AgentEvent): void {
    const before = `${this.state}/${this.slots}`
    if (event.event === 'goodbye') this.state = 'stopped'
    else {
      this.heartbeat = event.event === 'register' ? event.heartbeat : event
      this.state = this.heartbeat.state
    }
    if (before !== `${this.state}/${this.slots}`) this.#options.onChange()
  }

  #leave(error: CpnError): void {
    this.#client = undefined
    this.error = error
    if (error.code === 'CPN_ERR_NODE_UNPROVISIONED') this.state = 'unprovisioned'
    else if (error.code === 'CPN_ERR_NODE_STOPPED') this.state = 'stopped'
    else this.state = 'unreachable'
    this.#options.onChange()
  }

  #otherProtocol(theirs: number): CpnError {
    const message = `its agent speaks protocol ${theirs}, this cpn speaks ${protocolVersion}`
    return new CpnError('CPN_ERR_AGENT_PROTOCOL', message, {
      host: this.name,
      suggestions: [`Put this version's agent on it: cpn provision ${this.name}`],
    })
  }

  #lost(reason: string): CpnError {
    return new CpnError('CPN_ERR_CONNECTION_LOST', reason, { host: this.name, retryable: true })
  }
}
