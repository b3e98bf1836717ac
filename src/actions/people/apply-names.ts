import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { systemClock } from '../../common/clock.ts'
import type { Context } from '../../common/context.ts'
import { canonicalJson } from '../../common/digest.ts'
import { CpnError, toCpnError } from '../../common/errors.ts'
import type { Fleet } from '../../fleet/fleet.ts'
import { markOf } from '../../matching/mark-of.ts'
import type { FaceTraces } from '../../people/wanted-traces.ts'
import type { Mark } from '../../protocol/messages.ts'
import type { DrawPipeline, FacesPipeline } from '../../protocol/pipeline.ts'
import { copyName } from '../../runs/copy-name.ts'
import { GroupCommit } from '../../runs/group-commit.ts'
import type { InputReader } from '../../runs/input-reader.ts'
import type { NamedFace } from '../../runs/job-record.ts'
import type { EmbeddedJob, Input, Ledger, LedgerChange, Run } from '../../runs/ledger.ts'
import type { RunWriter } from '../../runs/run-writer.ts'
import { schedule } from '../../scheduler/schedule.ts'
import type { Job, JobOutcome } from '../../scheduler/scheduler.ts'
import type { Naming } from './naming.ts'

export interface ApplyParts {
  ledger: Ledger
  writer: RunWriter
  reader: InputReader
  run: Run
  pipeline: Pick<FacesPipeline, 'annotate' | 'maxPixels'>
  /** Undefined: nobody has a name. */
  naming: Naming | undefined
  /** Nodes that draw; asked for only when a picture has to be drawn anew. */
  fleet: () => Promise<Fleet>
  /** Absolute folder of the outputs. */
  out: string
  /** Overwrites what is kept of these faces; they have no name then. Nobody else gets another one. */
  forget?: FaceTraces | undefined
  /** Ends it early; what is not done stays as it was. */
  drain: AbortSignal
}

/** What became of a run's names. */
export interface AppliedNames {
  /** Photos in which some face has another name, or another similarity, than before. */
  changed: number
  /** Pictures that were drawn anew. */
  redrawn: number
  /** Pictures that still show what they showed, because their original is not what it was or no node draws. */
  left: { path: string; reason: string }[]
}

/** How the ledger says what a run's names were given with. */
export const namedByOf = (naming: Naming | undefined): string => canonicalJson(naming?.matching ?? null)

const pageSize = 200

/**
 * Names the faces of a run again, from the embeddings in the ledger, and has pictures drawn anew where that shows:
 * originals are read again, nothing is inferred. A job's names count once all of its pictures have them. The caller holds
 * the lock of `out` and writes the lists that follow from the ledger.
 */
export async function applyNames(parts: ApplyParts, ctx: Context): Promise<AppliedNames> {
  const { ledger, run, naming, forget, drain } = parts
  if (!forget && ledger.namedBy(run.id) === namedByOf(naming)) return { changed: 0, redrawn: 0, left: [] }
  ledger.setNamedBy(run, null)
  const applied = await new Renaming(parts, ctx).go()
  if (!forget && !drain.aborted && applied.left.length === 0) ledger.setNamedBy(run, namedByOf(naming))
  return applied
}

/** A job whose pictures change. */
interface Redrawing extends Renamed {
  inputs: Input[]
}

interface Renamed {
  faces: NamedFace[]
  /** Positions of faces that are forgotten. */
  forget: number[]
}

class Renaming {
  readonly #parts: ApplyParts
  readonly #ctx: Context
  readonly #commits: GroupCommit<LedgerChange>
  readonly #redrawings = new Map<string, Redrawing>()
  /** Why nobody draws any more. */
  #undrawable: CpnError | undefined
  readonly #applied: AppliedNames = { changed: 0, redrawn: 0, left: [] }

  constructor(parts: ApplyParts, ctx: Context) {
    this.#parts = parts
    this.#ctx = ctx
    this.#commits = new GroupCommit((changes) => parts.writer.commit(parts.run, changes))
  }

  async go(): Promise<AppliedNames> {
    const jobs = this.#jobs()
    const first = await jobs.next()
    if (!first.done) await this.#draw(first.value, jobs)
    await this.#commits.idle()
    return this.#applied
  }

  async #draw(first: Job, rest: AsyncGenerator<Job>): Promise<void> {
    const { run, pipeline, drain } = this.#parts
    const { annotate, maxPixels } = pipeline
    const fleet = await this.#fleet()
    if (fleet instanceof CpnError) return await this.#leaveRest(fleet, rest)
    const abandoned = new AbortController()
    fleet.abandoned().then((error) => abandoned.abort(error))
    const outcomes = schedule(chain(first, rest), fleet, {
      run: run.id,
      epoch: run.epoch,
      pipeline: { kind: 'draw', annotate, maxPixels } satisfies DrawPipeline,
      clock: systemClock,
      random: Math.random,
      drain: AbortSignal.any([drain, abandoned.signal]),
    })
    for await (const outcome of outcomes) await this.#settle(outcome)
    if (abandoned.signal.aborted) await this.#leaveRest(abandoned.signal.reason, rest)
  }

  /** No node will ever draw what is not drawn yet. */
  async #leaveRest(reason: CpnError, rest: AsyncGenerator<Job>): Promise<void> {
    if (this.#parts.drain.aborted) return
    this.#undrawable = reason
    while (!(await rest.next()).done) {}
    for (const job of this.#redrawings.keys()) await this.#leaveJob(job, reason.message)
  }

  /** What is kept of a face can be forgotten without a node that draws; for names alone there is nothing to do then. */
  async #fleet(): Promise<Fleet | CpnError> {
    const opening = this.#parts.fleet()
    return this.#parts.forget ? opening.catch(toCpnError) : opening
  }

  /** Jobs whose pictures have to change; whatever else changes is committed on the way. */
  async *#jobs(): AsyncGenerator<Job> {
    const { ledger, run, drain } = this.#parts
    for (let after = ''; !drain.aborted; ) {
      const page = ledger.embeddedJobs(run.id, after, pageSize)
      if (page.length === 0) return
      after = page.at(-1)!.job
      // Committed together: each by itself would wait for the disk.
      const changes: LedgerChange[] = []
      for (const job of page) {
        const renamed = this.#rename(job)
        const { faces, forget } = renamed
        const isChanged = forget.length > 0 || !isDeepStrictEqual(faces, job.faces)
        if (isChanged) this.#applied.changed++
        const isDrawn =
          this.#parts.pipeline.annotate !== 'none' &&
          (job.isUndrawn || !isDeepStrictEqual(marksOf(faces), marksOf(job.faces)))
        const redraw = isDrawn ? await this.#redraw(job.job, renamed) : undefined
        if (redraw) yield redraw
        else if (forget.length > 0 || (isChanged && !isDrawn))
          changes.push({ kind: 'named', job: job.job, ...renamed, ...(isDrawn ? { written: null } : {}) })
      }
      if (changes.length > 0) await this.#commits.add(...changes)
    }
  }

  #rename({ faces, embeddings }: EmbeddedJob): Renamed {
    const { forget: traces, naming } = this.#parts
    if (traces) {
      const forget = faces.keys().filter((i) => traces.isTheirs(faces[i]!, embeddings[i]!))
      return { faces: faces.map((face, i) => traces.without(face, embeddings[i]!)), forget: forget.toArray() }
    }
    const names = naming?.match(embeddings)
    return {
      faces: faces.map(({ person: _, similarity: __, candidates: ___, ...face }, i) => ({ ...face, ...names?.[i] })),
      forget: [],
    }
  }

  /** The job of drawing; undefined where no original is there any more. */
  async #redraw(job: string, renamed: Renamed): Promise<Job | undefined> {
    const { ledger, reader, run } = this.#parts
    const inputs = ledger.inputsOf(run.id, job)
    let fault = this.#undrawable?.message ?? 'it has no picture'
    for (const { source } of this.#undrawable ? [] : inputs) {
      const read = await reader.job(source).catch(toCpnError)
      if (!(read instanceof CpnError) && read.id === job) {
        this.#redrawings.set(job, { ...renamed, inputs })
        return { ...read, marks: marksOf(renamed.faces) }
      }
      fault = read instanceof CpnError ? read.message : `${source} has changed`
    }
    this.#leave(inputs, fault)
    return undefined
  }

  async #settle(outcome: JobOutcome): Promise<void> {
    const { out, writer } = this.#parts
    const job = outcome.job.id
    if (outcome.state !== 'done') return this.#leaveJob(job, outcome.error.message)
    const { inputs, ...renamed } = this.#take(job)
    const picture = outcome.result.annotated!
    const { byteLength } = picture
    for (const { name } of inputs) await writer.writePicture(join(out, copyName(name)), picture)
    await this.#commits.add({ kind: 'named', job, ...renamed, written: byteLength })
    outcome.result.release?.()
    this.#applied.redrawn += inputs.length
  }

  #take(job: string): Redrawing {
    const redrawing = this.#redrawings.get(job)!
    this.#redrawings.delete(job)
    return redrawing
  }

  /** The picture says what it said, until there is a node again; what is kept of a face goes all the same. */
  async #leaveJob(job: string, reason: string): Promise<void> {
    // What was ended early is known as before: the same command again does it.
    if (this.#parts.drain.aborted) return
    const { inputs, ...renamed } = this.#take(job)
    this.#leave(inputs, reason)
    if (renamed.forget.length > 0) await this.#commits.add({ kind: 'named', job, ...renamed, written: null })
  }

  #leave(inputs: Input[], reason: string): void {
    for (const { name } of inputs) {
      this.#applied.left.push({ path: name, reason })
      this.#ctx.notice(`${name} shows the names it showed: ${reason}`)
    }
  }
}

const marksOf = (faces: readonly NamedFace[]): Mark[] =>
  faces.map(({ person, similarity, ...face }) =>
    markOf(face, person === undefined ? undefined : { person, similarity: similarity ?? null }),
  )

/** Whoever ends it early leaves the rest as it is. */
async function* chain<T>(first: T, rest: AsyncGenerator<T>): AsyncGenerator<T> {
  yield first
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
}
