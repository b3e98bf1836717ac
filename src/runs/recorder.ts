import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { CpnError } from '../common/errors.ts'
import type { Job, JobOutcome } from '../scheduler/scheduler.ts'
import type { GroupCommit } from './group-commit.ts'
import type { EndedJob, Input, InputState, Ledger, LedgerChange } from './ledger.ts'
import { writeFileDurably } from './write-file.ts'

export interface FinishedInput {
  name: string
  state: Exclude<InputState, 'queued'>
  error?: { code: string; message: string }
}

/**
 * Turns outcomes into files and ledger entries. An input counts as done once its file is written, synced and named,
 * and its ledger entry is committed, in this order.
 */
export class Recorder {
  readonly #ledger: Ledger
  readonly #commits: GroupCommit
  readonly #run: string
  readonly #out: string
  /** Inputs that wait for a job in flight, by job. */
  readonly #waiting = new Map<string, Input[]>()

  constructor(ledger: Ledger, commits: GroupCommit, run: string, out: string) {
    this.#ledger = ledger
    this.#commits = commits
    this.#run = run
    this.#out = out
  }

  /**
   * Notes that an input wants a job. Returns 'new' when the job has to be scheduled, 'waiting' when it is in flight
   * already, and the finished input when equal content was done before.
   */
  async claim(input: Input, job: Job): Promise<'new' | 'waiting' | FinishedInput> {
    const waiting = this.#waiting.get(job.id)
    if (waiting) {
      waiting.push(input)
      return 'waiting'
    }
    const ended = this.#ledger.endedJob(this.#run, job.id)
    if (ended) return this.#repeat(input, job.id, ended)
    this.#waiting.set(job.id, [input])
    return 'new'
  }

  /** Records an outcome for every input that waits for it, those that come meanwhile included. */
  async settle(outcome: JobOutcome): Promise<FinishedInput[]> {
    const finished: FinishedInput[] = []
    const waiting = this.#waiting.get(outcome.job.id)!
    await this.#commits.add(jobChange(this.#run, outcome), ...(await this.#write(outcome, waiting.splice(0), finished)))
    while (waiting.length > 0) await this.#commits.add(...(await this.#write(outcome, waiting.splice(0), finished)))
    this.#waiting.delete(outcome.job.id)
    return finished
  }

  /** Records an input that cannot even be read. */
  async fail(input: Input, error: CpnError): Promise<FinishedInput> {
    const told = { code: error.code, message: error.message }
    await this.#commits.add({ kind: 'input', run: this.#run, seq: input.seq, state: 'failed', error: told })
    return { name: input.name, state: 'failed', error: told }
  }

  async #write(outcome: JobOutcome, inputs: Input[], finished: FinishedInput[]): Promise<LedgerChange[]> {
    for (const input of inputs) {
      if (outcome.state === 'done') {
        const { annotated } = outcome.result
        if (annotated) await writeFileDurably(join(this.#out, input.name), (file) => file.writeFile(annotated))
        finished.push({ name: input.name, state: 'done' })
      } else {
        const { code, message } = outcome.error
        finished.push({ name: input.name, state: outcome.state, error: { code, message } })
      }
    }
    return inputs.map((input) => ({
      kind: 'input',
      run: this.#run,
      seq: input.seq,
      state: outcome.state,
      job: outcome.job.id,
    }))
  }

  async #repeat(input: Input, job: string, { state, name, error }: EndedJob): Promise<FinishedInput> {
    if (state === 'done') await this.#copyOutput(name, input.name)
    await this.#commits.add({ kind: 'input', run: this.#run, seq: input.seq, state, job })
    return { name: input.name, state, ...(error ? { error } : {}) }
  }

  async #copyOutput(from: string, to: string): Promise<void> {
    const source = await open(join(this.#out, from)).catch(() => undefined)
    // Without annotation there is no picture to copy.
    if (!source) return
    await using file = source
    await writeFileDurably(join(this.#out, to), async (target) => target.writeFile(await file.readFile()))
  }
}

function jobChange(run: string, outcome: JobOutcome): LedgerChange {
  const about = { kind: 'job', run, job: outcome.job.id } as const
  if (outcome.state !== 'done') {
    return { ...about, state: outcome.state, error: { code: outcome.error.code, message: outcome.error.message } }
  }
  const { answer, embeddings } = outcome.result
  const { width, height, faces } = answer
  return { ...about, state: 'done', result: { width, height, faces, ...(embeddings ? { embeddings } : {}) } }
}
