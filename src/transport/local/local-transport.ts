import { connect } from 'node:net'
import type { Duplex, Readable } from 'node:stream'
import { CpnError, systemErrorCode } from '../../common/errors.ts'
import { agentUnreachable } from '../agent-unreachable.ts'
import { runToEnd } from '../exec.ts'
import type {
  Allowed,
  ExecOptions,
  ExecResult,
  RemoteFiles,
  RemoteProcess,
  SpawnOptions,
  Transport,
  UploadOptions,
} from '../transport.ts'
import { spawnShell } from './process.ts'
import { writeVerified } from './upload.ts'

/** The machine that cpn runs on, through the same interface as a host behind SSH. */
export class LocalTransport implements Transport {
  readonly kind = 'local'
  readonly hostKey = undefined
  readonly host: string
  tunnel: 'socket' | undefined
  readonly #lost = new AbortController()
  readonly #running = new Set<RemoteProcess>()

  constructor(host: string) {
    this.host = host
  }

  get lost(): AbortSignal {
    return this.#lost.signal
  }

  exec(script: string, options: ExecOptions = {}): Promise<ExecResult> {
    const start = (signal: AbortSignal): Promise<RemoteProcess> =>
      this.spawn(script, { signal, stdin: options.stdin !== undefined })
    return runToEnd(this.host, start, options)
  }

  async spawn(script: string, { signal, stdin = true }: SpawnOptions = {}): Promise<RemoteProcess> {
    signal?.throwIfAborted()
    this.lost.throwIfAborted()
    const process = await spawnShell(script, this.host)
    if (!stdin) process.stdin.end()
    this.#running.add(process)
    const destroy = (): void => process.destroy()
    signal?.addEventListener('abort', destroy, { once: true })
    const done = (): void => {
      this.#running.delete(process)
      signal?.removeEventListener('abort', destroy)
    }
    process.exited.then(done, done)
    return process
  }

  /** There is no server in between. */
  async probe(): Promise<Allowed> {
    return { sftp: true, forwarding: true }
  }

  upload(source: () => Readable, path: string, options: UploadOptions): Promise<void> {
    return writeVerified(this.host, source(), path, options)
  }

  async openFiles(): Promise<RemoteFiles> {
    throw new CpnError('CPN_ERR_CHANNEL_REFUSED', `${this.host} is reached without SSH and has no SFTP`, {
      host: this.host,
    })
  }

  async openAgent(socketPath: string, _bridgeCommand: string, signal?: AbortSignal): Promise<Duplex> {
    signal?.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const socket = connect(socketPath)
    socket.once('connect', resolve)
    socket.once('error', (error) => reject(agentUnreachable(this.host, reason(error, socketPath), error)))
    await promise
    socket.removeAllListeners('error')
    this.tunnel = 'socket'
    return socket
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#running].map(({ exited }) => exited))
  }

  destroy(error?: Error): void {
    for (const process of this.#running) process.destroy()
    const { host } = this
    const gone = new CpnError('CPN_ERR_CONNECTION_LOST', `${host} was let go`, { host, cause: error })
    if (error) this.#lost.abort(error instanceof CpnError ? error : gone)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function reason(error: Error, socketPath: string): string {
  switch (systemErrorCode(error)) {
    case 'ENOENT':
      return `there is no socket ${socketPath}`
    case 'ECONNREFUSED':
      return `nothing listens on ${socketPath}`
    case 'EINVAL':
      return `the path of its socket is too long (${socketPath})`
    default:
      return error.message
  }
}
