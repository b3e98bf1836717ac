import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'

/** An answer that was read to its end. */
export interface WholeAnswer {
  status: number
  headers: IncomingHttpHeaders
  /** Memory of its own. */
  body: Buffer<ArrayBuffer>
}

export interface AnswerLimits {
  /** Bytes that an answer may have; throws what the request ends with when it cannot be taken at all. */
  allowedBytes: (status: number, headers: IncomingHttpHeaders) => number
  /** Makes the error for an answer that is larger. */
  tooLarge: () => Error
  /** Called whenever some more of the answer has come. */
  onPiece?: () => void
  signal?: AbortSignal | undefined
}

/**
 * Sends a request and reads the whole answer into one piece of memory as it comes: nothing is buffered in between,
 * which for answers with images would be most of what the master does. Rejects with the dispatcher's errors, those of
 * the limits, and the signal's reason.
 */
export function requestWhole(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  limits: AnswerLimits,
): Promise<WholeAnswer> {
  const reader = new AnswerReader(limits)
  dispatcher.dispatch(options, reader)
  return reader.answer
}

class AnswerReader implements Dispatcher.DispatchHandler {
  readonly answer: Promise<WholeAnswer>
  readonly #limits: AnswerLimits
  readonly #resolve: (answer: WholeAnswer) => void
  readonly #reject: (reason: unknown) => void
  #controller: Dispatcher.DispatchController | undefined
  #status = 0
  #headers: IncomingHttpHeaders = {}
  #body: Buffer<ArrayBuffer> = Buffer.alloc(0)
  #bytes = 0
  #allowed = 0

  constructor(limits: AnswerLimits) {
    const { promise, resolve, reject } = Promise.withResolvers<WholeAnswer>()
    this.answer = promise
    this.#limits = limits
    this.#resolve = resolve
    this.#reject = reject
    limits.signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#limits.signal?.aborted) this.#onAbort()
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // Throwing here makes the dispatcher end the connection and report the error.
    this.#allowed = this.#limits.allowedBytes(status, headers)
    const announced = Number(headers['content-length'] ?? 0)
    if (announced > this.#allowed) throw this.#limits.tooLarge()
    this.#status = status
    this.#headers = headers
    this.#body = Buffer.allocUnsafeSlow(announced)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const end = this.#bytes + chunk.length
    if (end > this.#body.length) this.#grow(end)
    this.#body.set(chunk, this.#bytes)
    this.#bytes = end
    this.#limits.onPiece?.()
  }

  onResponseEnd(): void {
    this.#stopListening()
    this.#resolve({ status: this.#status, headers: this.#headers, body: this.#body.subarray(0, this.#bytes) })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#stopListening()
    this.#reject(error)
  }

  /** An answer without Content-Length. */
  #grow(bytes: number): void {
    if (bytes > this.#allowed) throw this.#limits.tooLarge()
    const larger = Buffer.allocUnsafeSlow(2 * bytes)
    larger.set(this.#body.subarray(0, this.#bytes))
    this.#body = larger
  }

  readonly #onAbort = (): void => {
    const reason = this.#limits.signal?.reason
    // One that waits for a connection is not known to it yet; it is ended when its turn comes.
    this.#controller?.abort(reason)
    this.#reject(reason)
  }

  #stopListening(): void {
    this.#limits.signal?.removeEventListener('abort', this.#onAbort)
  }
}
