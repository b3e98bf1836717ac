import { readSync, writeSync, writevSync } from 'node:fs'

/** Message and raw bytes that follow it, in the pieces they came in. */
export interface Frame<Message> {
  message: Message
  raw: Buffer[]
}

/** More than any message or answer has; a worker that announces more is not ours any more. */
const maxJsonBytes = 2 ** 20
const maxRawBytes = 2 ** 30

/** Length of the message's JSON and of the raw bytes, 32 bits each. */
const prefixBytes = 8

/** The bytes of a frame; `raw` is not copied. */
export function packFrame(message: unknown, raw: Uint8Array[]): Uint8Array[] {
  const json = JSON.stringify(message)
  const jsonBytes = Buffer.byteLength(json)
  const head = Buffer.allocUnsafe(prefixBytes + jsonBytes)
  head.writeUInt32LE(jsonBytes)
  head.writeUInt32LE(
    raw.reduce((bytes, piece) => bytes + piece.length, 0),
    4,
  )
  head.write(json, prefixBytes)
  return [head, ...raw]
}

/**
 * Cuts what comes through a pipe into frames, without copying their raw bytes. `push` throws for what is no frame; nothing
 * may be pushed after that.
 */
export class FrameReader<Message> {
  readonly #onFrame: (frame: Frame<Message>) => void
  #head: Buffer = Buffer.alloc(0)
  #frame: Frame<Message> | undefined
  #missing = 0

  constructor(onFrame: (frame: Frame<Message>) => void) {
    this.#onFrame = onFrame
  }

  push(chunk: Buffer): void {
    let rest = chunk
    if (!this.#frame) {
      this.#head = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk])
      if (this.#head.length < prefixBytes) return
      const end = prefixBytes + allowed(this.#head.readUInt32LE(0), maxJsonBytes)
      if (this.#head.length < end) return
      this.#missing = allowed(this.#head.readUInt32LE(4), maxRawBytes)
      this.#frame = { message: JSON.parse(this.#head.toString('utf8', prefixBytes, end)), raw: [] }
      rest = this.#head.subarray(end)
      this.#head = Buffer.alloc(0)
    }
    const piece = rest.subarray(0, this.#missing)
    if (piece.length > 0) this.#frame.raw.push(piece)
    this.#missing -= piece.length
    if (this.#missing > 0) return
    const frame = this.#frame
    this.#frame = undefined
    this.#onFrame(frame)
    if (piece.length < rest.length) this.push(rest.subarray(piece.length))
  }
}

function allowed(bytes: number, most: number): number {
  if (bytes <= most) return bytes
  throw new Error(`a frame announces ${bytes} bytes`)
}

/**
 * A worker's end of the pipe to its supervisor. It blocks: a worker has nothing else to do, and so every byte is moved
 * once.
 */
export class SupervisorPipe<Incoming, Outgoing> {
  readonly #fd: number

  constructor(fd: number) {
    this.#fd = fd
  }

  /**
   * Waits for the next frame; undefined when the supervisor is gone.
   * @param memory where its raw bytes go
   */
  receive(memory: (bytes: number) => Buffer): { message: Incoming; raw: Buffer } | undefined {
    const prefix = this.#fill(Buffer.allocUnsafe(prefixBytes))
    const json = prefix && this.#fill(Buffer.allocUnsafe(prefix.readUInt32LE(0)))
    const raw = json && this.#fill(memory(prefix.readUInt32LE(4)))
    return raw && { message: JSON.parse(json.toString()), raw }
  }

  /** Throws when the supervisor is gone. */
  send(message: Outgoing, raw: Uint8Array[] = []): void {
    const pieces = packFrame(message, raw)
    let written = writevSync(this.#fd, pieces)
    // A signal may have cut it short.
    for (const piece of pieces) {
      for (let at = Math.min(written, piece.length); at < piece.length; ) at += writeSync(this.#fd, piece, at)
      written = Math.max(0, written - piece.length)
    }
  }

  #fill(buffer: Buffer): Buffer | undefined {
    for (let filled = 0; filled < buffer.length; ) {
      const bytes = readSync(this.#fd, buffer, filled, buffer.length - filled, null)
      if (bytes === 0) return undefined
      filled += bytes
    }
    return buffer
  }
}
