import { setMaxListeners } from 'node:events'
import { Duplex } from 'node:stream'
import type { ClientChannel } from 'ssh2'

/**
 * A channel as an orderly Duplex that can stand in for a net.Socket: it fails when the connection is lost (the raw
 * channel ends cleanly or hangs then) and has the methods that HTTP clients call on sockets.
 */
export class ChannelSocket extends Duplex {
  readonly #channel: ClientChannel
  readonly #lost: AbortSignal
  readonly #onLost = (): void => void this.destroy(this.#lost.reason)

  constructor(channel: ClientChannel, lost: AbortSignal, options: { allowHalfOpen: boolean }) {
    super({ ...options, highWaterMark: 1024 * 1024 })
    this.#channel = channel
    this.#lost = lost
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

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#channel.write(chunk, encoding, callback)
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

  /** Nothing can be written any more; what was received may still be read. */
  #end(): void {
    if (this.readableEnded) this.destroy()
    else this.once('end', () => this.destroy())
  }
}
