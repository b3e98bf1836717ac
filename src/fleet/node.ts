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
import { Deafness } from './deafness.ts'
import { Inquest } from './inquest.ts'
import { Silence } from './silence.ts'

export type NodeState = 'unprovisioned' | 'ready' | 'degraded' | 'draining' | 'stopped' | 'unreachable'

export interface NodeOptions {
  /** Opens the next connection. */
  connector: () => Connector
  fleetId: string
  clock: Clock
  /** Uniform in [0, 1). */
  random: () => number
  logger: Logger
  /** Called on each new connection before the node gets work, e.g. to send models that it lacks. */
  prepare?: (
    host: Host,
    transport: Transport,
    card: NodeCard,
    client: AgentClient,
    signal: AbortSignal,
  ) => Promise<void>
  /** False: an agent that is down is reported, not started. Default true. */
  startIfDown?: (host: Host) => boolean
  /** The encoded gallery that attempts name by its digest. */
  gallery?: Buffer | undefined
  /** Called when a host cannot be used as it is, e.g. to provision it. Resolves to true when a new try makes sense. */
  repair?: (host: Host, error: CpnError, signal: AbortSignal) => Promise<boolean>
  onChange: () => void
}

/** An agent that says nothing for so long is frozen; that the link itself is alive is watched by the transport. */
const silenceSeconds = 10
const maxPauseMs = 10_000
/** More than any node has slots; each is opened only when it is needed. */
const connections = 256

/**
 * What a login or key is refused does not get better by repetition, and repeating it gets the master banned. Nor does a
 * node that gives other results than the rest.
 */
const refusals = new Set([
  'CPN_ERR_AUTH_FAILED',
  'CPN_ERR_IDENTITY',
  'CPN_ERR_HOST_KEY_UNKNOWN',
  'CPN_ERR_HOST_KEY_CHANGED',
  'CPN_ERR_HOST_KEY_REVOKED',
  'CPN_ERR_KEY_LOCKED',
  'CPN_ERR_GOLDEN',
])

/** One connection to an agent. */
interface Session {
  client: AgentClient
  inquest: Inquest
  /** A gallery is on its way. */
  sending?: Promise<void>
}

/** One host's agent over its whole life: connects, listens to heartbeats, reconnects with growing pauses. */
export class FleetNode implements SchedulableNode {
  /** Where the next connection leads to. */
  host: Host
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
  readonly #retired = new AbortController()
  #session: Session | undefined
  /** The last connection was good for work. */
  #worked = false
  #inFlight = 0
  #isRetiring = false
  #onIdle: () => void = () => {}
  #nudge = new AbortController()
  #moved = new AbortController()

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
    if (this.#isRetiring) return 0
    return this.state === 'ready' || this.state === 'degraded' ? (this.card?.slots ?? 0) : 0
  }

  /** The same release on the same kind of machine draws the same pictures. */
  get build(): string | undefined {
    return this.card && `${this.card.release} ${this.card.platform} ${this.card.arch}`
  }

  /** A login, a key, what the key was used for, or the node's results were refused: it is not tried again before something has changed. */
  get isRefused(): boolean {
    return this.error !== undefined && refusals.has(this.error.code)
  }

  async predict(request: AttemptRequest): Promise<NodeResult> {
    const session = this.#session
    if (!session) throw this.#lost('the node is not connected')
    this.#inFlight++
    try {
      return await this.#ask(session, request)
    } catch (error) {
      throw await this.#explain(toCpnError(error), session, request.signal)
    } finally {
      if (--this.#inFlight === 0) this.#onIdle()
    }
  }

  /** An agent that has not got the gallery says so before it takes the image. */
  async #ask(session: Session, request: AttemptRequest): Promise<NodeResult> {
    const { client } = session
    const { gallery } = this.#options
    try {
      return await client.predict(request)
    } catch (error) {
      if (!(error instanceof CpnError) || error.code !== 'CPN_ERR_GALLERY_MISSING' || !gallery) throw error
      session.sending ??= client
        .sendGallery(gallery, request.matching!.gallery, this.#retired.signal)
        .finally(() => delete session.sending)
      await session.sending
      return client.predict(request)
    }
  }

  /** Keeps the node connected until the signal aborts or the node is retired. Never rejects. */
  async live(closing: AbortSignal): Promise<void> {
    const { clock, random, logger, repair } = this.#options
    const signal = AbortSignal.any([closing, this.#retired.signal])
    for (let failures = 0; !signal.aborted; failures++) {
      this.#moved = new AbortController()
      const error = await this.#connect(AbortSignal.any([signal, this.#moved.signal])).catch(toCpnError)
      if (signal.aborted) break
      if (this.#moved.signal.aborted) continue
      if (this.#worked) failures = 0
      this.#leave(error)
      if (await repair?.(this.host, error, signal).catch((cause) => this.#leave(toCpnError(cause)))) continue
      this.#settle()
      const pause = Math.min(maxPauseMs, 250 * 2 ** failures) * (0.5 + random() / 2)
      logger.warn({ event: 'node-lost', host: this.name, code: error.code, reason: error.message, pause }, 'node lost')
      const early = AbortSignal.any([signal, this.#nudge.signal])
      await (this.isRefused ? aborted(early) : clock.sleep(pause, early).catch(() => {}))
      if (this.#nudge.signal.aborted) failures = -1
      this.#nudge = new AbortController()
    }
    this.#settle()
  }

  /** Something has changed: ends a pause, also that after a refused login. */
  tryAgain(): void {
    this.#nudge.abort()
  }

  /** The next connection leads there. One that works stays: host keys go with names, so it is the same machine. */
  moveTo(host: Host): void {
    this.host = host
    if (this.#session) return
    this.#moved.abort(this.#lost('it has another address now'))
    this.tryAgain()
  }

  /** Takes no more work; resolves when what it has in work has ended. */
  async retire(): Promise<void> {
    const { onChange } = this.#options
    this.#isRetiring = true
    onChange()
    const { promise: idle, resolve } = Promise.withResolvers<void>()
    this.#onIdle = resolve
    if (this.#inFlight > 0) await idle
    this.#retired.abort(this.#lost('it is not in the inventory any more'))
  }

  /** One connection from its start to its end; always ends by throwing. */
  async #connect(signal: AbortSignal): Promise<never> {
    const { connector, fleetId, startIfDown = () => true } = this.#options
    const { host } = this
    let silence: Silence | undefined
    const onLife = () => silence?.end()
    const opening = connector().open(host, signal)
    // Begun while the host answers; connectAgent tells of a failure.
    loadClient().catch(() => undefined)
    await using transport = await opening
    this.hostKey = transport.hostKey
    const options = { host, fleetId, connections, startIfDown: startIfDown(host), onLife, signal }
    await using client = await connectAgent(transport, options)
    using heard = new Silence(silenceSeconds, host.name)
    silence = heard
    using deafness = new Deafness(
      () => this.#inFlight > 0,
      (asking) => client.heartbeat(asking),
      host.name,
    )
    const ended = AbortSignal.any([signal, transport.lost, heard.signal, deafness.signal])
    const inquest = new Inquest(client, ended)
    try {
      for await (const event of client.events(ended)) {
        if (event.event === 'register') {
          await heard.during(() => this.#register(event.card, transport, client, ended))
          inquest.instance = event.card.instance
          this.#session = { client, inquest }
          this.error = undefined
          this.#options.logger.info({ event: 'node-joined', host: this.name, slots: event.card.slots }, 'node joined')
        }
        this.#hear(event)
        if (event.event === 'heartbeat') deafness.hear(event)
        this.#settle()
      }
    } finally {
      this.#disconnected()
      // What was in work learns why before the connection goes. A frozen agent would not answer.
      if (!ended.aborted) await inquest.close()
    }
    throw this.#lost('the agent ended the connection')
  }

  async #register(card: NodeCard, transport: Transport, client: AgentClient, signal: AbortSignal): Promise<void> {
    if (card.protocol !== protocolVersion) throw this.#otherProtocol(card.protocol)
    this.card = card
    await this.#options.prepare?.(this.host, transport, card, client, signal)
  }

  /** A lost connection whose agent has ended is something else: what was in work may be the cause. */
  async #explain(error: CpnError, { inquest }: Session, signal?: AbortSignal): Promise<CpnError> {
    if (error.code !== 'CPN_ERR_CONNECTION_LOST' || signal?.aborted || this.#retired.signal.aborted) return error
    // An agent that was stopped says goodbye.
    if (!(await inquest.hasDied()) || this.state === 'stopped' || this.state === 'draining') return error
    return new CpnError('CPN_ERR_AGENT_DIED', 'the agent ended while it had the image', {
      host: this.name,
      retryable: true,
      suggestions: [`Look at its log: cpn logs ${this.name}`],
    })
  }

  /** Takes no more work from now on: disconnecting for good may take a while. */
  #disconnected(): void {
    this.#worked = this.slots > 0
    this.#session = undefined
    if (!this.#worked) return
    this.state = 'unreachable'
    this.#options.onChange()
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
    this.#session = undefined
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

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (signal.aborted) resolve()
  signal.addEventListener('abort', () => resolve(), { once: true })
  return promise
}
