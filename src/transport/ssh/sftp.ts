import type { Readable } from 'node:stream'
import type { Client, SFTPWrapper } from 'ssh2'
import SftpClient from 'ssh2-sftp-client'
import { withDeadline } from '../../common/deadline.ts'
import { CpnError } from '../../common/errors.ts'
import type { FileStatus, RemoteFiles } from '../transport.ts'
import type { SshConnection } from './connection.ts'
import { deadline } from './deadlines.ts'
import { sftpError, timeoutError } from './errors.ts'
import { openSftp } from './sftp-channel.ts'

/** What OpenSSH answers one request with at most: more would take a second round trip. */
const readBytes = 255 * 1024

/** Bytes of a file that go in one request: on a slow link many hosts at once have to answer it in time. */
const pieceBytes = 32 * 1024

/** ssh2-sftp-client on a connection that is there already: its own connect would log in once more. */
class AttachedSftp extends SftpClient {
  /** Its types know less than it can. */
  declare lstat: SftpClient['stat']

  constructor(client: Client, channel: SFTPWrapper) {
    const ignore = (): void => undefined
    super('cpn', { error: ignore, end: ignore, close: ignore })
    Object.assign(this, { client, sftp: channel })
  }
}

/** Files of a host over a channel of its own. ssh2-sftp-client is not safe with several things at once. */
export class SftpFiles implements RemoteFiles {
  readonly #connection: SshConnection
  readonly #channel: SFTPWrapper
  readonly #sftp: AttachedSftp
  /** Nothing comes any more: a request that is under way then may never be answered. */
  readonly #ended: AbortSignal

  private constructor(connection: SshConnection, channel: SFTPWrapper, signal: AbortSignal | undefined) {
    this.#connection = connection
    this.#channel = channel
    this.#sftp = new AttachedSftp(connection.client, channel)
    this.#ended = signal ? AbortSignal.any([signal, connection.lost]) : connection.lost
  }

  static async open(connection: SshConnection, signal?: AbortSignal): Promise<SftpFiles> {
    return new SftpFiles(connection, await openSftp(connection, signal), signal)
  }

  async status(path: string, ofLink = false): Promise<FileStatus | undefined> {
    const about = await this.#answer(`cannot look at ${path}`, async () => {
      try {
        return await (ofLink ? this.#sftp.lstat(sftpPath(path)) : this.#sftp.stat(sftpPath(path)))
      } catch (error) {
        if ((error as { code?: unknown }).code === 'ENOENT') return undefined
        throw error
      }
    })
    if (!about) return undefined
    const kind = about.isFile ? 'file' : about.isDirectory ? 'folder' : 'other'
    return { kind, bytes: about.size, mode: about.mode & 0o777, mtime: about.modifyTime / 1000 }
  }

  async list(path: string): Promise<string[]> {
    const found = await this.#answer(`cannot list ${path}`, () => this.#sftp.list(sftpPath(path)))
    return found.map(({ name }) => name).sort()
  }

  realPath(path: string): Promise<string> {
    return this.#answer(`cannot look at ${path}`, () => this.#sftp.realPath(sftpPath(path)))
  }

  async makeFolder(path: string): Promise<void> {
    await this.#answer(`cannot make the folder ${path}`, () => this.#sftp.mkdir(sftpPath(path)))
  }

  async *read(path: string, start = 0): AsyncGenerator<Buffer> {
    const stream: Readable = this.#channel.createReadStream(sftpPath(path), { start, highWaterMark: readBytes })
    const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    try {
      for (;;) {
        const { value, done } = await this.#answer(`cannot read ${path}`, () => chunks.next())
        if (done) return
        yield value
      }
    } finally {
      stream.destroy()
    }
  }

  // Not by put(): it takes a write that failed for one that is done.
  async write(path: string, chunks: AsyncIterable<Buffer>, start?: number): Promise<void> {
    const what = `cannot write ${path}`
    const flags = start === undefined ? 'wx' : 'r+'
    const channel = this.#channel
    const handle = await this.#answer(what, () =>
      answered<Buffer>((done) => channel.open(sftpPath(path), flags, 0o600, done)),
    )
    try {
      let at = start ?? 0
      for await (const chunk of chunks) {
        await this.#answer(what, (restart) => this.#writeChunk(handle, chunk, at, restart))
        at += chunk.length
      }
    } catch (error) {
      channel.close(handle, () => undefined)
      throw error
    }
    await this.#answer(what, () => answered((done) => channel.close(handle, done)))
  }

  async setModeAndTime(path: string, mode: number, mtime: number): Promise<void> {
    const attributes = { mode, atime: mtime, mtime }
    await this.#answer(`cannot change ${path}`, () =>
      answered((done) => this.#channel.setstat(sftpPath(path), attributes, done)),
    )
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#answer(`cannot rename ${from} to ${to}`, async () => {
      try {
        await this.#sftp.posixRename(sftpPath(from), sftpPath(to))
      } catch (error) {
        if (!/does not support/.test((error as Error).message)) throw error
        // The protocol's own rename never replaces a file.
        await this.#sftp.delete(sftpPath(to), true)
        await this.#sftp.rename(sftpPath(from), sftpPath(to))
      }
    })
  }

  async remove(path: string): Promise<void> {
    await this.#answer(`cannot remove ${path}`, () => this.#sftp.delete(sftpPath(path), true))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#channel.end()
  }

  /** All pieces are on their way at once; each that is answered gives the others new time. */
  async #writeChunk(handle: Buffer, chunk: Buffer, at: number, restart: () => void): Promise<void> {
    const pieces = Array.from({ length: Math.ceil(chunk.length / pieceBytes) }, async (_, index) => {
      const from = index * pieceBytes
      const bytes = Math.min(pieceBytes, chunk.length - from)
      await answered((done) => this.#channel.write(handle, chunk, from, bytes, at + from, done))
      restart()
    })
    await Promise.all(pieces)
  }

  /** Waits for the answer to a request, or to several: `restart` gives the next one as much time again. */
  async #answer<T>(what: string, request: (restart: () => void) => Promise<T>): Promise<T> {
    const ms = deadline('sftp')
    const late = (): Error => timeoutError('sftp', ms, this.#connection.place)
    try {
      return await withDeadline(ms, late, (_, restart) => request(restart), this.#ended)
    } catch (error) {
      this.#ended.throwIfAborted()
      throw error instanceof CpnError ? error : sftpError(error, what, this.#connection.place)
    }
  }
}

/** The answer to a request of ssh2's own channel. */
function answered<T = void>(request: (done: (error?: Error | null, answer?: T) => void) => void): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  request((error, answer) => (error ? reject(error) : resolve(answer as T)))
  return promise
}

/** SFTP knows no `~`: what is relative belongs to the home. */
function sftpPath(path: string): string {
  return path === '~' ? '.' : path.replace(/^~\//, './')
}
