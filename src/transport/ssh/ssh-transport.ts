import type { Duplex, Readable } from 'node:stream'
import type { Logger } from '../../common/logger.ts'
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
import { AgentChannels } from './agent-channels.ts'
import type { SshConnection } from './connection.ts'
import { spawnLocked, spawnWithoutStdin } from './exec.ts'
import { probe } from './probe.ts'
import { Spawner } from './spawn.ts'
import { upload } from './upload.ts'

/** One host over one SSH connection. */
export class SshTransport implements Transport {
  readonly kind = 'ssh'
  readonly host: string
  readonly hostKey: string
  readonly #connection: SshConnection
  readonly #spawner: Spawner
  readonly #agents: AgentChannels
  readonly #work = new Set<Promise<unknown>>()

  constructor(connection: SshConnection, hostKey: string, logger: Logger) {
    this.host = connection.place.host
    this.hostKey = hostKey
    this.#connection = connection
    this.#spawner = new Spawner(connection, logger)
    this.#agents = new AgentChannels(connection, (script, signal) => this.exec(script, withSignal(signal)), logger)
    connection.onCrowded = () => {
      this.#spawner.releaseIfIdle()
      this.#agents.releaseIfIdle()
    }
  }

  get tunnel(): 'streamlocal' | 'bridge' | undefined {
    return this.#agents.tunnel
  }

  get lost(): AbortSignal {
    return this.#connection.lost
  }

  exec(script: string, options: ExecOptions = {}): Promise<ExecResult> {
    const start = options.locked
      ? (signal: AbortSignal) => spawnLocked(this.#connection, script, signal)
      : options.stdin
        ? (signal: AbortSignal) => this.#spawner.spawn(script, signal)
        : (signal: AbortSignal) => spawnWithoutStdin(this.#connection, script, signal)
    return this.#track(runToEnd(this.host, start, options))
  }

  async spawn(script: string, { signal, stdin = true, locked }: SpawnOptions = {}): Promise<RemoteProcess> {
    const process = await this.#track(
      locked
        ? spawnLocked(this.#connection, script, signal)
        : stdin
          ? this.#spawner.spawn(script, signal)
          : spawnWithoutStdin(this.#connection, script, signal),
    )
    this.#track(process.exited).catch(() => undefined)
    return process
  }

  upload(source: () => Readable, path: string, options: UploadOptions): Promise<void> {
    const exec = (script: string): Promise<ExecResult> => this.exec(script, withSignal(options.signal))
    return this.#track(upload(this.#connection, exec, source, path, options))
  }

  async openFiles(signal?: AbortSignal): Promise<RemoteFiles> {
    // Few hosts need it.
    const { SftpFiles } = await import('./sftp.ts')
    return SftpFiles.open(this.#connection, signal)
  }

  openAgent(socketPath: string, bridgeCommand: string, signal?: AbortSignal, locked = false): Promise<Duplex> {
    return this.#agents.open(socketPath, bridgeCommand, locked, signal)
  }

  probe(sockets: string[], signal?: AbortSignal): Promise<Allowed> {
    return this.#track(probe(this.#connection, sockets, signal))
  }

  async close(): Promise<void> {
    while (this.#work.size > 0) await Promise.allSettled(this.#work)
    await Promise.all([this.#spawner.close(), this.#agents.close()])
    await this.#connection.close()
  }

  destroy(error?: Error): void {
    this.#connection.destroy(error)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#work.add(work)
    const done = (): void => void this.#work.delete(work)
    work.then(done, done)
    return work
  }
}

function withSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal ? { signal } : {}
}
