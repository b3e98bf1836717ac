import { setMaxListeners } from 'node:events'
import { Duplex } from 'node:stream'
import type { ClientChannel } from 'ssh2'
import type { SshConnection } from './connection.ts'
import type { Outlet } from './outlet.ts'

/** Bytes that a channel may send before it is the next one's turn. */
const pieceBytes = 64 * 1024

/**
 * A channel as an orderly Duplex that can stand in for a net.Socket: it fails when the connection is lost (the raw
 * channel ends cleanly or hangs then) and has the methods that HTTP clients call on sockets.
 */
export class ChannelSocket extends Duplex {
  readonly #channel: ClientChannel
  readonly #lost: AbortSignal
  readonly #outlet: Outlet
  readonly #onLost = (): void => void this.destroy(this.#lost.reason)

  /** @param connection that the channel is on */
  constructor(
    channel: ClientChannel,
    { lost, outlet }: Pick<SshConnection, 'lost' | 'outlet'>,
    options: { allowHalfOpen: boolean },
  ) {
    super({ ...options, highWaterMark: 1024 * 1024 })
    this.#channel = channel
    this.#lost = lost
    this.#outlet = outlet
    setMaxListeners(0, lost)
    lost.addEventListener('abort', this.#onLost, { once: true })
    channel.on('data', (chunk: Buffer) => {
      // A destroyed stream takes nothing, but the channel closes only when it was read to its end.
      if (!this.destroyed && !this.push(chunk)) channel.pause()
    })
    channel.on('end', () => this.push(null))
    channel.on('error', (error: Error) => this.destroy(error))
    channel.on('close', () => this.#end())
    if (lost.aborted) this.#onLost()
  }

  override _read(): void {
    this.#channel.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#writePieces(piecesOf([chunk]), callback)
  }

  /** What was written together travels together: on a jumped connection these are the parts of one packet. */
  override _writev(chunks: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    this.#writePieces(piecesOf(chunks.map(({ chunk }) => chunk)), callback)
  }

  override _final(callback: () => void): void {
    this.#channel.end()
    callback()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#lost.removeEventListener('abort', this.#onLost)
    this.#channel.destroy()
    // What was still coming has to be read, or the channel never closes.
    this.#channel.resume()
    callback(error)
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  setTimeout(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  get remoteAddress(): undefined {
    return undefined
  }

  get connecting(): boolean {
    return false
  }

  #writePieces(pieces: Iterator<Buffer>, callback: (error?: Error | null) => void): void {
    const { value: piece, done } = pieces.next()
    if (done) callback()
    else this.#outlet.enter(() => this.#writePiece(piece, pieces, callback))
  }

  #writePiece(piece: Buffer, rest: Iterator<Buffer>, callback: (error?: Error | null) => void): void {
    // Nobody takes the rest of what is written to a program that has ended; the close that follows ends this stream.
    if (this.destroyed || this.#channel.writableEnded) return
    this.#channel.write(piece, (error) => (error ? callback(error) : this.#writePieces(rest, callback)))
  }

  /** Nothing can be written any more; what was received may still be read. */
  #end(): void {
    if (this.readableEnded) this.destroy()
    else this.once('end', () => this.destroy())
  }
}

/** The chunks in pieces of the same size but for the last; only what comes from several chunks is copied. */
function* piecesOf(chunks: readonly Buffer[]): Generator<Buffer> {
  let parts: Buffer[] = []
  let room = pieceBytes
  for (const chunk of chunks) {
    for (let start = 0; start < chunk.length; ) {
      const part = chunk.subarray(start, start + room)
      parts.push(part)
      start += part.length
      room -= part.length
      if (room > 0) continue
      yield joined(parts)
      parts = []
      room = pieceBytes
    }
  }
  if (parts.length > 0) yield joined(parts)
}

const joined = (parts: Buffer[]): Buffer => (parts.length === 1 ? parts[0]! : Buffer.concat(parts))
