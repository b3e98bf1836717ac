import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { shared } from '../../test/helpers/shared.ts'
import type { SshdHost } from '../../test/helpers/sshd.ts'
import type { Throughput } from '../limit.ts'

const python = '/usr/bin/python3'

/** Reason for leaving Dask out; false where it is there. */
export function daskMissing(): string | false {
  try {
    execFileSync(python, ['-c', 'import cv2, distributed, asyncssh'], { stdio: 'ignore' })
    return false
  } catch {
    return 'python3-distributed, python3-opencv and python3-asyncssh are not all there'
  }
}

/** A Dask SSHCluster with a worker of one thread per host. */
export class Dask implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #reader: Interface

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#reader = createInterface({ input: child.stdout! })
    this.#lines = this.#reader[Symbol.asyncIterator]()
  }

  /** Resolves when its workers are there. */
  static async start(hosts: SshdHost[]): Promise<Dask> {
    const logins = hosts.map(({ address, port, user, identityFile }) => ({ address, port, user, key: identityFile }))
    const options = JSON.stringify({ hosts: logins, model: shared('models', 'ultraface-rfb-320.onnx') })
    const script = join(import.meta.dirname, 'dask-predict.py')
    const child = spawn(python, [script, options], {
      stdio: ['pipe', 'pipe', process.env.CPN_BENCH_VERBOSE ? 'inherit' : 'ignore'],
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    })
    const dask = new Dask(child)
    await dask.#answer()
    return dask
  }

  async run(folder: string, out: string): Promise<Throughput> {
    this.#child.stdin!.write(`${JSON.stringify({ folder, out })}\n`)
    return (await this.#answer()) as Throughput
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin!.end()
    if (this.#child.exitCode === null) await once(this.#child, 'exit')
    this.#reader.close()
  }

  async #answer(): Promise<unknown> {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error('Dask ended: set CPN_BENCH_VERBOSE=1 to see why')
    return JSON.parse(value)
  }
}
