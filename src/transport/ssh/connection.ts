import { setMaxListeners } from 'node:events'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, ClientChannel } from 'ssh2'
import { withDeadline } from '../../common/deadline.ts'
import { CpnError } from '../../common/errors.ts'
import { deadline } from './deadlines.ts'
import { channelError, lostError, type Place, timeoutError } from './errors.ts'
import { watchLiveness } from './liveness.ts'

type ChannelCallback<T> = (error: Error | undefined, channel: T) => void

/** A logged-in connection to one SSH server and the channels on it. */
export class SshConnection {
  readonly place: Place
  readonly client: Client
  /** Called when the server takes no more sessions: whoever holds one without need may end it. */
  onCrowded: () => void = () => undefined
  readonly #lost = new AbortController()
  readonly #sessions = new Set<ClientChannel>()
  readonly #closed = Promise.withResolvers<void>()
  #sessionEnded = Promise.withResolvers<void>()
  #capacity: number | undefined
  #waiting = 0
  #sessionEndedAt = Number.NEGATIVE_INFINITY
  #isClosing = false

  /** Takes over the client and its socket. */
  constructor(client: Client, socket: Duplex, place: Place) {
    this.client = client
    this.place = place
    setMaxListeners(0, this.lost)
    const stopWatching = watchLiveness(socket, () => this.#lose(new Error('no answer any more')))
    this.lost.addEventListener('abort', stopWatching, { once: true })
    client.on('error', (error) => this.#lose(error))
    client.on('end', () => this.#lose())
    client.on('close', () => {
      stopWatching()
      this.#closed.resolve()
      this.#lose()
    })
  }

  /** Aborts with CPN_ERR_CONNECTION_LOST when the connection is gone, unless it was closed from here. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** Sessions the server allowed at once when it last refused one; undefined while it never did. */
  get capacity(): number | undefined {
    return this.#capacity
  }

  /** True while somebody waits for one of our sessions to end. */
  get isCrowded(): boolean {
    return this.#waiting > 0
  }

  /** A session channel that runs `command`; waits for one of ours to end while the server takes no more of them. */
  async openSession(command: string, signal?: AbortSignal): Promise<ClientChannel> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#trySession(command, signal)
      } catch (error) {
        if (!(error instanceof CpnError) || error.code !== 'CPN_ERR_CHANNEL_REFUSED') throw error
        if (!(await this.#roomForSession(tries, signal))) throw tooManySessions(this.place, error)
      }
    }
  }

  openStreamLocal(socketPath: string, signal?: AbortSignal): Promise<ClientChannel> {
    const what = `a channel to ${socketPath}`
    return this.#open(what, (done) => this.client.openssh_forwardOutStreamLocal(socketPath, done as never), signal)
  }

  openTcp(address: string, port: number, signal?: AbortSignal): Promise<ClientChannel> {
    const what = `a channel to ${address}:${port}`
    return this.#open(what, (done) => this.client.forwardOut('127.0.0.1', 0, address, port, done as never), signal)
  }

  /** Runs a request for something on the connection under its deadline. */
  request<T>(what: string, start: (done: ChannelCallback<T>) => unknown, signal?: AbortSignal): Promise<T> {
    return this.#open(what, start, signal)
  }

  /** Hangs up in an orderly way. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.client.end()
    const timer = setTimeout(() => this.client.destroy(), deadline('close'))
    await this.#closed.promise.finally(() => clearTimeout(timer))
  }

  /** Hangs up now. */
  destroy(error?: Error): void {
    this.#isClosing = error === undefined
    if (error) this.#lose(error)
    this.client.destroy()
  }

  async #trySession(command: string, signal?: AbortSignal): Promise<ClientChannel> {
    const channel = await this.#open<ClientChannel>(
      'a session',
      (done) => this.client.exec(command, done as never),
      signal,
    )
    this.#sessions.add(channel)
    channel.once('close', () => this.#endSession(channel))
    return channel
  }

  #endSession(channel: ClientChannel): void {
    this.#sessions.delete(channel)
    this.#sessionEndedAt = performance.now()
    this.#sessionEnded.resolve()
    this.#sessionEnded = Promise.withResolvers()
  }

  /** The server counts a session for a moment after its end: a few quick tries, then only when another one ends. */
  async #roomForSession(tries: number, signal?: AbortSignal): Promise<boolean> {
    const hasJustEnded = performance.now() - this.#sessionEndedAt < deadline('close')
    if (tries <= 3 || (this.#sessions.size === 0 && hasJustEnded)) {
      await sleep(20 * Math.min(tries, 5), undefined, { signal })
      return true
    }
    if (this.#sessions.size === 0) return false
    this.#capacity = this.#sessions.size
    this.#waiting++
    this.onCrowded()
    const ended = this.#sessionEnded.promise
    const ms = deadline('channel')
    try {
      return await withDeadline(
        ms,
        () => timeoutError('channel', ms, this.place),
        () => ended.then(() => true),
        signal,
      )
    } catch (error) {
      if (signal?.aborted) throw error
      return false
    } finally {
      this.#waiting--
    }
  }

  async #open<T>(what: string, start: (done: ChannelCallback<T>) => unknown, signal?: AbortSignal): Promise<T> {
    this.lost.throwIfAborted()
    const ms = deadline('channel')
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const onLost = (): void => reject(this.lost.reason)
    this.lost.addEventListener('abort', onLost, { once: true })
    let isWanted = true
    const work = async (): Promise<T> => {
      start((error, channel) => {
        if (error) return reject(channelError(error, what, this.place))
        // One that comes too late is nobody's.
        if (!isWanted) (channel as { destroy?: () => void }).destroy?.()
        resolve(channel)
      })
      return promise
    }
    try {
      return await withDeadline(ms, () => timeoutError('channel', ms, this.place), work, signal)
    } catch (error) {
      isWanted = false
      promise.catch(() => undefined)
      throw error instanceof CpnError || signal?.aborted ? error : lostError(this.place, error)
    } finally {
      this.lost.removeEventListener('abort', onLost)
    }
  }

  #lose(cause?: unknown): void {
    if (this.lost.aborted || this.#isClosing) return
    const isOurs = cause instanceof CpnError && cause.host === this.place.host
    this.#lost.abort(isOurs ? cause : lostError(this.place, cause))
    this.#sessionEnded.resolve()
    this.client.destroy()
  }
}

function tooManySessions({ host, where }: Place, cause: CpnError): CpnError {
  return new CpnError('CPN_ERR_CHANNEL_REFUSED', `${where} allows no more sessions`, {
    host,
    retryable: true,
    cause,
    suggestions: ['Raise MaxSessions in sshd_config on the host.'],
  })
}
