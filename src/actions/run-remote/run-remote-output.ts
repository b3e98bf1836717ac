import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'

/** Characters kept of one stream. */
const maxKept = 4 * 1024 * 1024
/** A longer line is told in pieces. */
const maxLine = 1024 * 1024

/** Reads one output of a command: tells its lines, and keeps its beginning as text. */
export class OutputReader {
  readonly #keep: boolean
  readonly #onLine: (line: string) => void
  readonly #decoder = new StringDecoder('utf8')
  readonly #kept: string[] = []
  #room = maxKept
  #line = ''

  constructor(keep: boolean, onLine: (line: string) => void) {
    this.#keep = keep
    this.#onLine = onLine
  }

  get text(): string {
    return this.#kept.join('')
  }

  async read(stream: Readable): Promise<void> {
    for await (const chunk of stream as AsyncIterable<Buffer>) this.#take(this.#decoder.write(chunk))
  }

  /** Tells what is left without a line's end. */
  end(): void {
    this.#take(this.#decoder.end())
    if (this.#line !== '') this.#onLine(this.#line)
    this.#line = ''
  }

  #take(text: string): void {
    if (this.#keep && this.#room > 0) this.#kept.push(text.slice(0, this.#room))
    this.#room -= text.length
    const lines = (this.#line + text).split('\n')
    this.#line = lines.pop() ?? ''
    for (const line of lines) this.#onLine(line.endsWith('\r') ? line.slice(0, -1) : line)
    if (this.#line.length <= maxLine) return
    this.#onLine(this.#line)
    this.#line = ''
  }
}
