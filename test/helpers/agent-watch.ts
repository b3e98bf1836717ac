import assert from 'node:assert/strict'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from './until.ts'

const pauseMs = 20

/** Asks an agent again and again which release it runs. */
export class AgentWatch implements AsyncDisposable {
  /** What it answered so far; `none` where it did not. */
  readonly seen = new Set<string>()
  readonly #socket: string
  readonly #asking: Promise<void>
  #last = ''
  #ended = false

  constructor(socket: string) {
    this.#socket = socket
    this.#asking = this.#ask()
  }

  /** Resolves when the agent that answers now is of this release. */
  async answersFrom(release: string): Promise<void> {
    this.#last = ''
    await until(() => this.#last === release, `an agent of ${release} answers`, 60_000)
    assert.ok(this.seen.has(release))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true
    await this.#asking
  }

  async #ask(): Promise<void> {
    while (!this.#ended) {
      this.#last = await releaseOf(this.#socket).catch(() => 'none')
      this.seen.add(this.#last)
      await sleep(pauseMs)
    }
  }
}

async function releaseOf(socketPath: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  request({ socketPath, path: '/cpn/v1/node', agent: false, timeout: 5000 }, (response) => {
    let body = ''
    response.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    response.on('end', () => resolve(body)).on('error', reject)
  })
    .on('error', reject)
    .end()
  return JSON.parse(await promise).release
}
