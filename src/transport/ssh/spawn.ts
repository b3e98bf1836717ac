import { unlessAborted } from '../../common/deadline.ts'
import type { Logger } from '../../common/logger.ts'
import { underGuard } from '../lifeline.ts'
import type { RemoteProcess } from '../transport.ts'
import type { SshConnection } from './connection.ts'
import { Guard } from './guard.ts'
import { type Session, startSession } from './session.ts'

/** Starts processes with a stdin of their own; all of one connection share one guard. */
export class Spawner {
  readonly #connection: SshConnection
  readonly #logger: Logger
  #guard: Promise<Guard> | undefined
  #running = 0

  constructor(connection: SshConnection, logger: Logger) {
    this.#connection = connection
    this.#logger = logger
  }

  async spawn(script: string, signal?: AbortSignal): Promise<RemoteProcess> {
    // The guard comes first: a crowd of commands must not keep it out.
    const guard = await this.#openGuard(signal)
    const build = (nonce: string): string => underGuard(script, nonce)
    const session = await startSession(this.#connection, build, { signal, sayGroup: true })
    this.#running++
    const done = (): void => {
      this.#running--
      if (this.#connection.isCrowded) this.releaseIfIdle()
    }
    session.exited.then(done, done)
    if (guard && !guard.isAlive) this.#warnOf('the guard of commands has ended')
    const process = guarded(session, guard)
    if (signal) endOnAbort(process, signal)
    // Nobody listens yet; whoever waits for the command's end hears of it.
    session.stdio.on('error', () => undefined)
    // sshd hands orders over as they come: the guard's has to be on its way before this one. On a slow link orders wait.
    if (guard) await unlessAborted(guard.watch(session.group), signal)
    this.#connection.lost.throwIfAborted()
    session.stdio.write('go\n')
    return process
  }

  /** The guard goes when nothing is left to guard. */
  async close(): Promise<void> {
    const guard = await this.#guard?.catch(() => undefined)
    await guard?.close()
  }

  /** Gives the guard's session back when nothing needs it. */
  releaseIfIdle(): void {
    if (this.#running > 0 || !this.#guard) return
    const guard = this.#guard
    this.#guard = undefined
    guard.then(
      (it) => it.close(),
      () => undefined,
    )
  }

  #warnOf(reason: string): void {
    this.#logger.warn({ host: this.#connection.place.host }, reason)
  }

  /** A server that allows one session only gets no guard: commands end there when they notice it themselves. */
  async #openGuard(signal?: AbortSignal): Promise<Guard | undefined> {
    if (this.#connection.capacity === 1) {
      this.#warnOf('MaxSessions is 1: no session for a guard of commands')
      return undefined
    }
    const last = this.#guard
    const guard = await last?.catch(() => undefined)
    if (guard?.isAlive) return guard
    // Somebody else who waited was faster: one guard is enough.
    if (this.#guard !== last) return this.#openGuard(signal)
    this.#guard = Guard.start(this.#connection, signal)
    return this.#guard
  }
}

function guarded({ stdio, stderr, exited, group }: Session, guard: Guard | undefined): RemoteProcess {
  let hasEnded = false
  const forget = (): void => {
    if (!hasEnded) guard?.forget(group)
    hasEnded = true
  }
  exited.then(forget, forget)
  const destroy = (): void => {
    if (!hasEnded) guard?.end(group)
    hasEnded = true
    stdio.destroy()
    stderr.resume()
  }
  return { stdin: stdio, stdout: stdio, stderr, exited, destroy }
}

function endOnAbort(process: RemoteProcess, signal: AbortSignal): void {
  const onAbort = (): void => process.destroy()
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  const off = (): void => signal.removeEventListener('abort', onAbort)
  process.exited.then(off, off)
}
