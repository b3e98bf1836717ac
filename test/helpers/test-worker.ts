import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { permissionFlags } from '../../src/agent/pool/launch-worker.ts'
import { type Frame, FrameReader, packFrame } from '../../src/agent/worker-frames.ts'
import { type FromWorker, pipeFd, type ToWorker } from '../../src/agent/worker-messages.ts'
import { sha256 } from '../../src/common/digest.ts'
import { decodeFrame } from '../../src/protocol/framing.ts'
import type { PredictAnswer } from '../../src/protocol/messages.ts'
import type { Pipeline } from '../../src/protocol/pipeline.ts'
import { modelsFolder } from './faces.ts'
import { fontsFolder } from './fonts.ts'
import { repositoryRoot, shared } from './shared.ts'

export type Outcome =
  | { type: 'done'; answer: PredictAnswer; raw: Buffer; digest: string; body: Buffer }
  | Extract<FromWorker, { type: 'failed' }>

/** A worker process as an agent starts it, under the permission model; ended when disposed. */
export class TestWorker implements AsyncDisposable {
  readonly process: ChildProcess
  /** Everything it wrote to stdout and stderr. */
  output = ''
  readonly #pipe: Duplex
  readonly #frames: AsyncGenerator<Frame<FromWorker>>

  private constructor(child: ChildProcess) {
    this.process = child
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
      })
    }
    this.#pipe = child.stdio[pipeFd] as Duplex
    this.#frames = framesOf(this.#pipe)
  }

  /** Starts a worker and waits until it is ready. */
  static async start(modelsDir = modelsFolder()): Promise<TestWorker> {
    const script = join(repositoryRoot, 'src', 'agent', 'worker.ts')
    const flags = permissionFlags([realpathSync(repositoryRoot), fontsFolder(), modelsDir, shared('models')])
    const child = spawn(process.execPath, [...flags, script, '--models-dir', modelsDir, '--fonts-dir', fontsFolder()], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      cwd: '/',
      env: {},
    })
    const worker = new TestWorker(child)
    const { message } = await worker.#next()
    if (message.type !== 'ready') throw new Error(`the worker began with ${message.type}`)
    return worker
  }

  /** Sends a job and waits for its outcome. */
  async predict(image: Uint8Array, pipeline: Pipeline): Promise<Outcome> {
    const order: ToWorker = { type: 'job', order: { job: sha256(image), attempt: 1, epoch: 1, pipeline } }
    for (const piece of packFrame(order, [image])) this.#pipe.write(piece)
    const { message, raw } = await this.#next()
    if (message.type === 'ready') throw new Error('the worker was ready twice')
    if (message.type === 'failed') return message
    const body = Buffer.concat(raw)
    const frame = decodeFrame(body, message.jsonBytes)
    return { type: 'done', answer: frame.json as PredictAnswer, raw: frame.raw, digest: message.digest, body }
  }

  async #next(): Promise<Frame<FromWorker>> {
    const { value, done } = await this.#frames.next()
    if (done) throw new Error(`the worker ended: ${this.output}`)
    return value
  }

  /** Closes the pipe, as the end of an agent does, and waits for the exit code. */
  async disconnect(): Promise<number | null> {
    const exited = once(this.process, 'exit')
    this.#pipe.destroy()
    const [code] = (await exited) as [number | null]
    return code
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) await this.disconnect()
  }
}

async function* framesOf(pipe: Duplex): AsyncGenerator<Frame<FromWorker>> {
  const frames: Frame<FromWorker>[] = []
  const reader = new FrameReader<FromWorker>((frame) => frames.push(frame))
  for await (const chunk of pipe) {
    reader.push(chunk)
    yield* frames.splice(0)
  }
}
