import { chmodSync, chownSync, renameSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { LabNode } from './lab-node.ts'

/** An agent's whole answer to a predict request, before it is passed on. */
export interface TappedAnswer {
  /** sha256 of the image. */
  job: string
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Buffer
  /** Where it goes. */
  to: ServerResponse
}

/** Sits between sshd and an agent, on the agent's own socket, and passes on what it is not told to change. */
export class AnswerTap implements AsyncDisposable {
  /** Has the answer in its hands instead of it being passed on; undefined: everything passes. */
  onAnswer: ((answer: TappedAnswer) => Promise<void> | void) | undefined
  /** Hears of every image that comes, before the agent has it. */
  onImage: ((job: string) => void) | undefined
  /** Changes lines of the event stream. */
  onEvent = (text: string): string => text
  readonly #socket: string
  readonly #agent: string
  readonly #server: Server

  constructor(node: LabNode) {
    this.#socket = node.socket
    this.#agent = `${this.#socket}.agent`
    this.#server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (from, to) => void this.#forward(from, to))
  }

  /** Connections that are made from now on go through the tap. */
  static async open(node: LabNode): Promise<AnswerTap> {
    const tap = new AnswerTap(node)
    renameSync(tap.#socket, tap.#agent)
    await new Promise<void>((resolve) => tap.#server.listen(tap.#socket, resolve))
    chmodSync(tap.#socket, 0o600)
    chownSync(tap.#socket, node.host.uid, node.host.uid)
    return tap
  }

  /** Passes an answer on as it is. */
  static pass({ status, headers, body, to }: TappedAnswer): void {
    to.writeHead(status, headers as Record<string, string>).end(body)
  }

  /** Gives the agent its socket back. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
    rmSync(this.#socket, { force: true })
    renameSync(this.#agent, this.#socket)
  }

  async #forward(from: IncomingMessage, to: ServerResponse): Promise<void> {
    try {
      const { method, url: path, headers } = from
      const job = headers['cpn-job']
      if (typeof job === 'string') this.onImage?.(job)
      const asked = request({ socketPath: this.#agent, method, path, headers, agent: false })
      to.on('close', () => asked.destroy())
      from.pipe(asked)
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        asked.on('response', resolve).on('error', reject)
      })
      if (path?.startsWith('/cpn/v1/events')) await this.#events(response, to)
      else await this.#answer(String(job), response, to)
    } catch {
      // The agent or the master has gone: so does the connection to the other.
      to.destroy()
    }
  }

  async #events(response: IncomingMessage, to: ServerResponse): Promise<void> {
    to.writeHead(response.statusCode!, response.headers)
    for await (const chunk of response.setEncoding('utf8')) to.write(this.onEvent(chunk as string))
    to.end()
  }

  async #answer(job: string, response: IncomingMessage, to: ServerResponse): Promise<void> {
    const { statusCode: status = 0, headers } = response
    const answer = { job, status, headers, body: await buffer(response), to }
    if (status === 200 && headers['inference-header-content-length'] && this.onAnswer) await this.onAnswer(answer)
    else AnswerTap.pass(answer)
  }
}
