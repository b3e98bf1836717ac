import { type Duplex, Readable } from 'node:stream'
import type { Dispatcher, Pool as HttpPool } from 'undici'
// Loading all of undici takes 40 ms more than these.
import httpRequest from 'undici/lib/api/api-request.js'
import Pool from 'undici/lib/dispatcher/pool.js'
import type * as z from 'zod'
import { withDeadline } from '../common/deadline.ts'
import { contentDigest, contentDigestOf } from '../common/digest.ts'
import { CpnError } from '../common/errors.ts'
import { giveBack } from '../common/memory.ts'
import { decodeFrame, headerLengthName, splitParts } from '../protocol/framing.ts'
import { encodePredictHeaders } from '../protocol/headers.ts'
import {
  type AgentEvent,
  agentEventSchema,
  type Heartbeat,
  heartbeatSchema,
  type NodeCard,
  nodeCardSchema,
  type PredictAnswer,
  predictAnswerSchema,
} from '../protocol/messages.ts'
import { decodeError } from '../protocol/wire-errors.ts'
import type { AttemptRequest, NodeResult } from '../scheduler/scheduler.ts'
import { faultOf, maxAnswerBytes, type Original, originalOf } from './verify-result.ts'
import { requestWhole, type WholeAnswer } from './whole-answer.ts'

export interface AgentClientOptions {
  /** Inventory name, for errors. */
  host: string
  /** Opens one connection to the agent's socket; it has to honour the signal. */
  connect: (signal?: AbortSignal) => Promise<Duplex>
  /** Connections kept at most; more requests than that wait. */
  connections: number
  /** Called whenever something comes from the agent. */
  onLife?: () => void
}

const maxEventLineBytes = 1024 * 1024
const maxTextBytes = 1024 * 1024
const shortRequestMs = 10_000
/** A larger image is handed over in pieces of this size, to see it move. */
const pieceBytes = 256 * 1024

/** The agent's HTTP interface. Each method rejects with a CpnError that names the host. */
export class AgentClient implements AsyncDisposable {
  readonly #host: string
  readonly #pool: HttpPool
  readonly #onLife: () => void

  constructor({ host, connect, connections, onLife = () => {} }: AgentClientOptions) {
    this.#host = host
    this.#onLife = onLife
    this.#pool = new Pool('http://agent', {
      connections,
      pipelining: 1,
      // Deadlines are owned by the callers' signals: undici's own timers know nothing of slow links.
      headersTimeout: 0,
      bodyTimeout: 0,
      // An idle channel costs nothing, opening one costs a round trip.
      keepAliveTimeout: 600_000,
      keepAliveMaxTimeout: 600_000,
      connect: (_options, callback) => {
        connect().then(
          (channel) => callback(null, channel as never),
          (error: Error) => callback(error, null),
        )
      },
    })
  }

  /** GET /cpn/v1/node */
  async card(signal?: AbortSignal): Promise<NodeCard> {
    const { body } = await this.#short('/cpn/v1/node', signal)
    return this.#parseText(nodeCardSchema, body.toString(), 'node card')
  }

  /** GET /cpn/v1/heartbeat */
  async heartbeat(signal?: AbortSignal): Promise<Heartbeat> {
    const { body } = await this.#short('/cpn/v1/heartbeat', signal)
    return this.#parseText(heartbeatSchema, body.toString(), 'heartbeat')
  }

  /** POST /cpn/v1/predict; length, digest, schema and sense of the answer are verified before it counts. */
  async predict(request: AttemptRequest): Promise<NodeResult> {
    const { job, attempt, epoch, run, pipeline, matching, deadlineMs } = request
    const { marks } = job
    const image = await job.read()
    const original = originalOf(image)
    // A slow link is no reason to give up. The agent has an answer when the image has waited for a worker and the
    // worker has worked for this long each; the third one is for what is on its way.
    const silenceMs = 3 * deadlineMs
    return withDeadline(
      silenceMs,
      () =>
        new CpnError('CPN_ERR_JOB_TIMEOUT', `nothing came and went for ${Math.round(silenceMs / 1000)} s`, {
          host: this.#host,
          retryable: true,
        }),
      async (signal, restart) => {
        const options = {
          method: 'POST',
          path: '/cpn/v1/predict',
          headers: {
            ...encodePredictHeaders({ job: job.id, attempt, epoch, run, pipeline, matching, marks, deadlineMs }),
            ...bodyHeaders(image, job.id),
          },
          body: image.length > pieceBytes ? Readable.from(pieces(image, restart)) : image,
        } as const
        const answer = await this.#ask(options, maxAnswerBytes(pipeline), signal, restart)
        giveBack(image)
        return this.#result(request, original, answer)
      },
      request.signal,
    )
  }

  /** POST /cpn/v1/gallery: the agent keeps it in memory until it ends. @param digest sha256 of the bytes */
  async sendGallery(bytes: Buffer, digest: string, signal?: AbortSignal): Promise<void> {
    const onTimeout = () => this.#silent('/cpn/v1/gallery')
    await withDeadline(
      shortRequestMs,
      onTimeout,
      (limited, restart) =>
        this.#ask(
          {
            method: 'POST',
            path: '/cpn/v1/gallery',
            headers: bodyHeaders(bytes, digest),
            body: Readable.from(pieces(bytes, restart)),
          },
          maxTextBytes,
          limited,
        ),
      signal,
    )
  }

  /** DELETE /cpn/v1/gallery: the agent forgets everybody it was told of. */
  async forgetGalleries(signal?: AbortSignal): Promise<void> {
    await this.#short('/cpn/v1/gallery', signal, 'DELETE')
  }

  /** GET /cpn/v1/events; ends when the agent or the connection does. */
  async *events(signal?: AbortSignal): AsyncGenerator<AgentEvent> {
    const events = { method: 'GET', path: '/cpn/v1/events', signal } as const
    try {
      const { statusCode, body } = await httpRequest.call(this.#pool, events)
      const chunks = body.setEncoding('utf8')
      if (statusCode !== 200) throw decodeError(statusCode, await beginning(chunks), this.#host)
      for await (const line of lines(chunks)) {
        this.#onLife()
        yield this.#parseText(agentEventSchema, line, 'event')
      }
    } catch (error) {
      throw this.#lost(error)
    }
  }

  /** Ends all connections now; requests in flight reject. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy(this.#lost(new Error('closed by the master')))
  }

  async #short(path: string, signal: AbortSignal | undefined, method: 'GET' | 'DELETE' = 'GET'): Promise<WholeAnswer> {
    const ask = (limited: AbortSignal) => this.#ask({ method, path }, maxTextBytes, limited)
    return withDeadline(shortRequestMs, () => this.#silent(path), ask, signal)
  }

  #silent(path: string): CpnError {
    return new CpnError('CPN_ERR_AGENT_UNREACHABLE', `the agent did not answer ${path} in time`, {
      host: this.#host,
      retryable: true,
      suggestions: [`Look at its log: cpn logs ${this.#host}`],
    })
  }

  /** The whole of an answer that is no error. @param onPiece called whenever some more of it has come */
  async #ask(
    options: Dispatcher.DispatchOptions,
    maxBytes: number,
    signal: AbortSignal,
    onPiece?: () => void,
  ): Promise<WholeAnswer> {
    const answer = await requestWhole(this.#pool, options, {
      allowedBytes: (status, headers) => (status === 200 && headers['content-length'] ? maxBytes : maxTextBytes),
      tooLarge: () => this.#breach('an answer that is too large or does not end'),
      onPiece: () => {
        this.#onLife()
        onPiece?.()
      },
      signal,
    }).catch((error) => {
      throw this.#lost(error)
    })
    if (answer.status !== 200) throw decodeError(answer.status, answer.body.toString(), this.#host)
    return answer
  }

  #result(request: AttemptRequest, original: Original, { headers, body }: WholeAnswer): NodeResult {
    if (headers['content-length'] === undefined) throw this.#breach('an answer without a Content-Length')
    // A tunnel that is cut in the middle of an answer may end cleanly: only length and digest tell.
    if (body.length !== Number(headers['content-length']) || contentDigest(body) !== headers['content-digest']) {
      throw new CpnError('CPN_ERR_DIGEST_MISMATCH', 'the answer arrived damaged or cut', {
        host: this.#host,
        retryable: true,
      })
    }
    const { json, raw } = this.#framed(() => decodeFrame(body, Number(headers[headerLengthName])))
    const answer = this.#parse(predictAnswerSchema, json, 'answer')
    if (answer.job !== request.job.id || answer.attempt !== request.attempt || answer.epoch !== request.epoch) {
      throw this.#breach('an answer to another question')
    }
    const result: NodeResult = { answer, release: () => giveBack(body) }
    const lengths = answer.parts.map((part) => part.bytes)
    const raws = this.#framed(() => splitParts(raw, lengths))
    for (const [index, part] of answer.parts.entries()) {
      const bytes = raws[index]!
      if (part.name === 'annotated') result.annotated = bytes
      else if (part.name === 'thumbnail') result.thumbnail = bytes
      else if (part.name === 'crops') result.crops = this.#framed(() => splitParts(bytes, part.lengths))
      else result.embeddings = this.#embeddings(answer, part.shape, bytes)
    }
    if ((request.pipeline.annotate !== 'none') !== (result.annotated !== undefined)) {
      throw this.#breach('an answer without the picture that was asked for')
    }
    const fault = faultOf(original, request.pipeline, result)
    if (fault !== undefined) throw this.#breach(fault)
    return result
  }

  /** Framing knows no host: its errors get ours. */
  #framed<T>(read: () => T): T {
    try {
      return read()
    } catch (error) {
      throw this.#breach((error as Error).message)
    }
  }

  #embeddings(answer: PredictAnswer, [count, size]: [number, number], bytes: Buffer): Float32Array[] {
    if (count !== answer.faces.length || bytes.length !== count * size * 4)
      throw this.#breach('embeddings of a wrong shape')
    return Array.from({ length: count }, (_, face) =>
      Float32Array.from({ length: size }, (_, index) => bytes.readFloatLE((face * size + index) * 4)),
    )
  }

  #parseText<T>(schema: z.ZodType<T>, text: string, what: string): T {
    try {
      return this.#parse(schema, JSON.parse(text), what)
    } catch (error) {
      throw error instanceof CpnError ? error : this.#breach(`${what} is not JSON`)
    }
  }

  #parse<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
    const parsed = schema.safeParse(value)
    if (parsed.success) return parsed.data
    const issue = parsed.error.issues[0]
    throw this.#breach(`${what}: ${issue?.path.join('.')} ${issue?.message}`)
  }

  #breach(what: string): CpnError {
    return new CpnError('CPN_ERR_AGENT_PROTOCOL', `the agent broke the protocol: ${what}`, {
      host: this.#host,
      suggestions: [`Put the current release on it: cpn provision ${this.#host}`],
    })
  }

  #lost(error: unknown): CpnError {
    if (error instanceof CpnError) return error
    return new CpnError('CPN_ERR_CONNECTION_LOST', `the connection to the agent ended: ${(error as Error).message}`, {
      host: this.#host,
      retryable: true,
      cause: error,
    })
  }
}

const bodyHeaders = (bytes: Buffer, sha256: string) => ({
  'content-type': 'application/octet-stream',
  'content-length': String(bytes.length),
  'content-digest': contentDigestOf(sha256),
})

/** @param onPiece called whenever one is taken */
async function* pieces(image: Buffer, onPiece: () => void): AsyncGenerator<Buffer> {
  for (let start = 0; start < image.length; start += pieceBytes) {
    onPiece()
    yield image.subarray(start, start + pieceBytes)
  }
}

/** As much of a text as an error may have; the rest is not read. */
async function beginning(chunks: AsyncIterable<string>): Promise<string> {
  let text = ''
  for await (const chunk of chunks) {
    text += chunk
    if (text.length > maxTextBytes) break
  }
  return text
}

async function* lines(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of chunks) {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop() ?? ''
    if (rest.length > maxEventLineBytes) throw new Error('a line without an end')
    yield* parts
  }
}
