import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CpnError } from '../common/errors.ts'
import type { Match } from '../matching/match.ts'
import type { JobOutcome } from '../scheduler/scheduler.ts'
import { copyName } from './copy-name.ts'
import { DigestFilter } from './digest-filter.ts'
import type { GroupCommit } from './group-commit.ts'
import type { ReadJob } from './input-reader.ts'
import { encodeRecord } from './job-record.ts'
import { labelled } from './labelled.ts'
import type { EndedJob, FileIdentity, Input, InputState, Ledger, LedgerChange } from './ledger.ts'
import { hasPicture } from './recognise.ts'
import type { RunWriter } from './run-writer.ts'
import { isFaultOfOneFile } from './write-file.ts'

export interface FinishedInput {
  name: string
  state: Exclude<InputState, 'queued'>
  error?: { code: string; message: string }
  /** It is what an earlier epoch finished; nothing was done. */
  kept?: true
}

/** An input that waits for its job, with the file as it was read. */
interface Waiting {
  input: Input
  file: FileIdentity
}

export interface RecorderOptions {
  ledger: Ledger
  commits: GroupCommit<LedgerChange>
  writer: RunWriter
  run: string
  /** Absolute folder of the outputs. */
  out: string
  /** Whether a done job has a picture. */
  annotates: boolean
  /** Who the faces of a picture are, from their embeddings. */
  matcher?: ((embeddings: Float32Array[]) => Match[]) | undefined
  /** Of the model, where nodes answer with classes. */
  labels?: readonly string[] | undefined
}

/**
 * Turns outcomes into files and ledger entries. An input counts as done once its file is written, synced and named,
 * and its ledger entry is committed, in this order.
 */
export class Recorder {
  readonly #ledger: Ledger
  readonly #commits: GroupCommit<LedgerChange>
  readonly #writer: RunWriter
  readonly #run: string
  readonly #out: string
  readonly #annotates: boolean
  readonly #names: Pick<RecorderOptions, 'matcher' | 'labels'>
  /** Jobs that may have ended. */
  readonly #ended = new DigestFilter()
  /** Inputs that wait for a job in flight, by job. */
  readonly #waiting = new Map<string, Waiting[]>()

  constructor({ ledger, commits, writer, run, out, annotates, ...names }: RecorderOptions) {
    this.#ledger = ledger
    this.#commits = commits
    this.#writer = writer
    this.#run = run
    this.#out = out
    this.#annotates = annotates
    this.#names = names
    for (const job of ledger.endedJobs(run)) this.#ended.add(job)
  }

  /**
   * Notes that an input wants a job. Returns 'new' when the job has to be scheduled, 'waiting' when it is in flight
   * already, and the finished input when equal content was done before.
   */
  async claim(input: Input, { id: job, file }: ReadJob): Promise<'new' | 'waiting' | FinishedInput> {
    const waiting = this.#waiting.get(job)
    if (waiting) {
      waiting.push({ input, file })
      return 'waiting'
    }
    const ended = this.#ended.mayHave(job) ? this.#ledger.endedJob(this.#run, job, input.seq) : undefined
    const repeated = ended && (await this.#repeat({ input, file }, job, ended))
    if (repeated) return repeated
    this.#waiting.set(job, [{ input, file }])
    return 'new'
  }

  /** Records an outcome for every input that waits for it, those that come meanwhile included. */
  async settle(outcome: JobOutcome): Promise<FinishedInput[]> {
    const finished: FinishedInput[] = []
    const waiting = this.#waiting.get(outcome.job.id)!
    this.#ended.add(outcome.job.id)
    await this.#commits.add(
      jobChange(outcome, this.#names),
      ...(await this.#write(outcome, waiting.splice(0), finished)),
    )
    while (waiting.length > 0) await this.#commits.add(...(await this.#write(outcome, waiting.splice(0), finished)))
    this.#waiting.delete(outcome.job.id)
    if (outcome.state === 'done') outcome.result.release?.()
    return finished
  }

  /** Records an input that cannot even be read. */
  async fail(input: Input, error: CpnError): Promise<FinishedInput> {
    await this.#commits.add({ kind: 'input', seq: input.seq, state: 'failed', error: told(error) })
    return { name: input.name, state: 'failed', error: told(error) }
  }

  async #write(outcome: JobOutcome, inputs: Waiting[], finished: FinishedInput[]): Promise<LedgerChange[]> {
    const written = await Promise.all(inputs.map(({ input }) => this.#writeOne(outcome, input)))
    finished.push(...written)
    return written.map(({ state, error }, index) => ({
      kind: 'input',
      seq: inputs[index]!.input.seq,
      state,
      job: outcome.job.id,
      file: inputs[index]!.file,
      ...(state === 'done' && outcome.state === 'done' ? { written: outcome.result.annotated?.byteLength } : {}),
      // The job's own error is in its entry already.
      error: outcome.state === 'done' ? error : undefined,
    }))
  }

  async #writeOne(outcome: JobOutcome, { name }: Input): Promise<FinishedInput> {
    if (outcome.state !== 'done') return { name, state: outcome.state, error: told(outcome.error) }
    const { annotated } = outcome.result
    const error = annotated && (await this.#writePicture(name, annotated))
    return error ? { name, state: 'failed', error } : { name, state: 'done' }
  }

  /** Resolves with an error that concerns this one file only. */
  async #writePicture(name: string, picture: Buffer): Promise<FinishedInput['error']> {
    try {
      await this.#writer.writePicture(join(this.#out, copyName(name)), picture)
      return undefined
    } catch (error) {
      if (!isFaultOfOneFile(error)) throw error
      return told(error as CpnError)
    }
  }

  /** Gives an input what it or an equal one got; undefined when that is not there any more. */
  async #repeat({ input, file }: Waiting, job: string, ended: EndedJob): Promise<FinishedInput | undefined> {
    const { name, seq } = input
    const { state, error } = ended
    const hasPictures = state === 'done' && this.#annotates
    if (ended.name === name) {
      if (hasPictures && !(await hasPicture(ended, this.#out))) return undefined
      await this.#commits.add({ kind: 'kept', seq, file })
      return { name, state, ...(error ? { error } : {}), kept: true }
    }
    if (hasPictures) {
      const annotated = await this.#pictureOf(job, seq, ended)
      if (!annotated) return undefined
      const fault = await this.#writePicture(name, annotated)
      if (fault) {
        await this.#commits.add({ kind: 'input', seq, state: 'failed', job, file, error: fault })
        return { name, state: 'failed', error: fault }
      }
    }
    await this.#commits.add({ kind: 'input', seq, state, job, file, written: ended.written ?? undefined })
    return { name, state, ...(error ? { error } : {}) }
  }

  /** The picture that an equal input has, unless it is given up or written anew meanwhile. */
  async #pictureOf(job: string, seq: number, { name, written }: EndedJob): Promise<Buffer | undefined> {
    const picture = await readFile(join(this.#out, copyName(name))).catch(() => undefined)
    if (picture?.byteLength !== written) return undefined
    return this.#ledger.endedJob(this.#run, job, seq)?.name === name ? picture : undefined
  }
}

const told = ({ code, message }: CpnError) => ({ code, message })

/** What the ledger keeps of how a job ended. */
export function jobChange(
  outcome: JobOutcome,
  { matcher, labels = [] }: Pick<RecorderOptions, 'matcher' | 'labels'>,
): LedgerChange {
  const about = { kind: 'job', job: outcome.job.id } as const
  if (outcome.state !== 'done') {
    return { ...about, state: outcome.state, error: told(outcome.error) }
  }
  const { answer, annotated: _, release: __, ...small } = outcome.result
  const { width, height, faces } = answer
  const names = small.embeddings && matcher?.(small.embeddings)
  const named = names ? faces.map((face, i) => ({ ...face, ...names[i] })) : faces
  return {
    ...about,
    state: 'done',
    ...encodeRecord({ width, height, faces: named, ...labelled(answer, labels), ...small }),
  }
}
