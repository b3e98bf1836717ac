import type { Duplex } from 'node:stream'
import { CpnError } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import { maxSocketPathBytes } from '../../protocol/paths.ts'
import { agentUnreachable } from '../agent-unreachable.ts'
import { quote } from '../shell.ts'
import type { ExecResult } from '../transport.ts'
import type { Bridge } from './bridge.ts'
import { ChannelSocket } from './channel-socket.ts'
import type { SshConnection } from './connection.ts'

/** Connections to the agent: forwarded by sshd, or over the bridge where sshd forbids that. */
export class AgentChannels {
  tunnel: 'streamlocal' | 'bridge' | undefined
  readonly #connection: SshConnection
  readonly #exec: (script: string, signal?: AbortSignal) => Promise<ExecResult>
  readonly #logger: Logger
  /** By command; there is more than one only while a host has more than one agent. */
  #last: Promise<unknown> = Promise.resolve()
  readonly #bridges = new Map<string, Promise<Bridge>>()

  constructor(
    connection: SshConnection,
    exec: (script: string, signal?: AbortSignal) => Promise<ExecResult>,
    logger: Logger,
  ) {
    this.#connection = connection
    this.#exec = exec
    this.#logger = logger
  }

  async open(socketPath: string, bridgeCommand: string, locked: boolean, signal?: AbortSignal): Promise<Duplex> {
    if (locked) return this.#throughLock(bridgeCommand, signal)
    if (this.tunnel === 'bridge') return this.#overBridge(bridgeCommand, signal)
    try {
      const channel = await this.#connection.openStreamLocal(socketPath, signal)
      this.tunnel = 'streamlocal'
      return new ChannelSocket(channel, this.#connection, { allowHalfOpen: false })
    } catch (error) {
      if (!isRefusal(error)) throw error
      return this.#oneAtATime(() => this.#afterRefusal(socketPath, bridgeCommand, error, signal))
    }
  }

  /** A locked key has no forwarding and no shell. */
  async #throughLock(words: string, signal?: AbortSignal): Promise<Duplex> {
    const socket = await this.#overBridge(words, signal, true)
    this.tunnel = 'bridge'
    return socket
  }

  /** Ends bridges that no connection uses, for a server that is out of sessions. */
  releaseIfIdle(): void {
    const release = async (bridge: Bridge): Promise<void> => {
      if (bridge.isIdle) await bridge.close()
    }
    for (const bridge of this.#bridges.values()) bridge.then(release, () => undefined)
  }

  async close(): Promise<void> {
    const close = (bridge: Bridge): Promise<void> => bridge.close()
    await Promise.all([...this.#bridges.values()].map((bridge) => bridge.then(close, () => undefined)))
  }

  /** What the first one finds out spares the others the question. */
  #oneAtATime<T>(work: () => Promise<T>): Promise<T> {
    const now = this.#last.then(work)
    this.#last = now.catch(() => undefined)
    return now
  }

  /** A missing socket, one nobody listens to, a long path and a policy are refused alike: find out which. */
  async #afterRefusal(socketPath: string, bridgeCommand: string, error: Error, signal?: AbortSignal): Promise<Duplex> {
    if (this.tunnel === 'bridge') return this.#overBridge(bridgeCommand, signal)
    const { host } = this.#connection.place
    if (Buffer.byteLength(socketPath) > maxSocketPathBytes.linux) {
      throw agentUnreachable(host, `the path of its socket is too long (${socketPath})`, error)
    }
    const { exitCode } = await this.#exec(`[ -S ${quote(socketPath)} ]`, signal)
    if (exitCode !== 0) throw agentUnreachable(host, `there is no socket ${socketPath}`, error)
    if (this.tunnel === 'streamlocal') throw agentUnreachable(host, `nothing listens on ${socketPath}`, error)
    const socket = await this.#overBridge(bridgeCommand, signal)
    this.tunnel = 'bridge'
    this.#logger.info({ host }, 'sshd forbids forwarding: agent connections go over a bridge')
    return socket
  }

  async #overBridge(command: string, signal?: AbortSignal, locked = false): Promise<Duplex> {
    let bridge = await this.#runningBridge(command, locked)
    // It may have made room for a command meanwhile.
    if (!bridge.isAlive) bridge = await this.#runningBridge(command, locked)
    signal?.throwIfAborted()
    try {
      return await bridge.connect(signal)
    } catch (error) {
      // As long as nothing has come through, forwarding may be allowed and the agent away.
      if (this.tunnel !== 'bridge' && bridge.isIdle) await bridge.close()
      throw error
    }
  }

  /** One start for all who ask at the same time. */
  async #runningBridge(command: string, locked: boolean): Promise<Bridge> {
    const last = this.#bridges.get(command)
    const running = await last?.catch(() => undefined)
    if (running?.isAlive) return running
    const inMeantime = this.#bridges.get(command)
    if (inMeantime && inMeantime !== last) return inMeantime
    const starting = this.#startBridge(command, locked, running)
    this.#bridges.set(command, starting)
    return starting
  }

  async #startBridge(command: string, locked: boolean, dead: Bridge | undefined): Promise<Bridge> {
    await dead?.close()
    // Few hosts need it, and HTTP/2 takes its time to load.
    const { Bridge } = await import('./bridge.ts')
    const bridge = await Bridge.start(this.#connection, command, locked)
    bridge.onIdle = () => void (this.#connection.isCrowded && bridge.close())
    return bridge
  }
}

function isRefusal(error: unknown): error is CpnError {
  return error instanceof CpnError && ['CPN_ERR_FORWARDING_REFUSED', 'CPN_ERR_CHANNEL_REFUSED'].includes(error.code)
}
