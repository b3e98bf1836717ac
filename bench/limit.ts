import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'

export interface Throughput {
  seconds: number
  faces: number
}

/** The agent's pipeline in a process per core, without SSH, ledger, digests and files written. */
export class Limit implements AsyncDisposable {
  readonly #workers: ChildProcess[]

  private constructor(workers: ChildProcess[]) {
    this.#workers = workers
  }

  /** Resolves when models are loaded: `warm` is a picture. */
  static async start(warm: string): Promise<Limit> {
    const workers = cpus().map(() => fork(join(import.meta.dirname, 'limit-worker.ts')))
    await Promise.all(workers.map((worker) => once(worker, 'message')))
    const limit = new Limit(workers)
    await Promise.all(workers.map((worker) => ask(worker, [warm])))
    return limit
  }

  async run(folder: string): Promise<Throughput> {
    const files = readdirSync(folder).map((name) => join(folder, name))
    const started = performance.now()
    // Small shares, so that no process waits for the other at the end.
    const faces = await Promise.all(this.#workers.map((worker) => this.#work(worker, files)))
    return { seconds: (performance.now() - started) / 1000, faces: faces.reduce((sum, each) => sum + each, 0) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#workers) worker.disconnect()
    await Promise.all(this.#workers.map((worker) => worker.exitCode ?? once(worker, 'exit')))
  }

  async #work(worker: ChildProcess, files: string[]): Promise<number> {
    let faces = 0
    while (files.length > 0) faces += await ask(worker, files.splice(0, 8))
    return faces
  }
}

async function ask(worker: ChildProcess, files: string[]): Promise<number> {
  worker.send(files)
  return ((await once(worker, 'message')) as [number])[0]
}
