import { type ChildProcess, fork } from 'node:child_process'
import { on, once } from 'node:events'
import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { permissionFlags } from '../../src/agent/pool/launch-worker.ts'
import type { FromWorker, ToWorker } from '../../src/agent/worker-messages.ts'
import type { Pipeline } from '../../src/protocol/pipeline.ts'
import { labelFont, modelsFolder } from './faces.ts'
import { repositoryRoot, shared } from './shared.ts'

export type Outcome = Exclude<FromWorker, { type: 'ready' }>

/** A worker process as an agent starts it, under the permission model; ended when disposed. */
export class TestWorker implements AsyncDisposable {
  readonly process: ChildProcess
  /** Everything it wrote to stdout and stderr. */
  output = ''
  readonly #messages: AsyncIterator<[FromWorker]>
  #nextId = 1

  private constructor(child: ChildProcess) {
    this.process = child
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
      })
    }
    this.#messages = on(child, 'message', { close: ['exit'] }) as AsyncIterator<[FromWorker]>
  }

  /** Starts a worker and waits until it is ready. */
  static async start(modelsDir = modelsFolder()): Promise<TestWorker> {
    const script = join(repositoryRoot, 'src', 'agent', 'worker.ts')
    const child = fork(script, ['--models-dir', modelsDir, '--font', labelFont], {
      execArgv: permissionFlags([realpathSync(repositoryRoot), modelsDir, shared('models')]),
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      cwd: '/',
      env: {},
    })
    const worker = new TestWorker(child)
    const first = await worker.#next()
    if (first.type !== 'ready') throw new Error(`the worker began with ${first.type}`)
    return worker
  }

  /** Sends a job and waits for its outcome. */
  async predict(image: Uint8Array, pipeline: Pipeline): Promise<Outcome> {
    const id = this.#nextId++
    this.process.send({ type: 'job', id, image, pipeline } satisfies ToWorker)
    const outcome = await this.#next()
    if (outcome.type === 'ready' || outcome.id !== id) throw new Error(`no outcome of job ${id}`)
    return outcome
  }

  async #next(): Promise<FromWorker> {
    const { value, done } = await this.#messages.next()
    if (done) throw new Error(`the worker ended: ${this.output}`)
    return value[0]
  }

  /** Cuts the channel, as the end of an agent does, and waits for the exit code. */
  async disconnect(): Promise<number | null> {
    const exited = once(this.process, 'exit')
    this.process.disconnect()
    const [code] = (await exited) as [number | null]
    return code
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) await this.disconnect()
  }
}
