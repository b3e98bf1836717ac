import { realpath, rmdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { systemClock } from '../../common/clock.ts'
import type { Context } from '../../common/context.ts'
import { canonicalJson, sha256 } from '../../common/digest.ts'
import { CpnError, toCpnError } from '../../common/errors.ts'
import { mapAhead } from '../../common/map-ahead.ts'
import type { Fleet } from '../../fleet/fleet.ts'
import { looksForPersons } from '../../models/pipeline-version.ts'
import type { ModelManifest } from '../../protocol/model.ts'
import type { Pipeline } from '../../protocol/pipeline.ts'
import { Discovery } from '../../runs/discovery.ts'
import { findInputs, type Root } from '../../runs/find-inputs.ts'
import { forgetGone } from '../../runs/gone-inputs.ts'
import { GroupCommit } from '../../runs/group-commit.ts'
import type { InputReader, ReadJob } from '../../runs/input-reader.ts'
import type { BegunRun, Input, Ledger, LedgerChange } from '../../runs/ledger.ts'
import { assertSpace, makeOut, OutFolder, outLost, queueLost } from '../../runs/out-folder.ts'
import { type Summary, writeSummary } from '../../runs/outputs.ts'
import { type FinishedInput, Recorder } from '../../runs/recorder.ts'
import type { RunWriter } from '../../runs/run-writer.ts'
import { type ResultOptions, withEarlier } from '../../runs/sinks/index.ts'
import { removeLeftovers } from '../../runs/temporary-files.ts'
import { schedule } from '../../scheduler/schedule.ts'
import type { AttemptEvent, Job, JobOutcome } from '../../scheduler/scheduler.ts'
import { modelOptions } from '../models/model-options.ts'
import { applyNames, namedByOf } from '../people/apply-names.ts'
import type { Naming } from '../people/naming.ts'
import { type SortFacesOptions, sortFaces } from '../people/sort-faces.ts'
import { keepAwake } from './keep-awake.ts'
import { RunLog } from './log-run.ts'
import type { PredictEvent, PredictOptions, PredictResult } from './predict.ts'
import { tellNodes } from './tell-nodes.ts'
import { describeNotice, describeQuarantine, describeUnread } from './tell-notices.ts'
import { writeRunResults } from './write-run-results.ts'

const readAhead = 4
/** A run begins when all its inputs are found, or this time is over: then it goes by what is known so far. */
const firstLookMs = 1000
/** Between two looks whether OUT is still there; the end of the run looks at every picture. */
const outLookMs = 1000
const settleAtOnce = 16
/** Results that come within this time are committed together, which costs less for each of them. */
const commitSpacingMs = 20

/** What a run works with; it belongs to the caller. */
export interface RunParts {
  ledger: Ledger
  writer: RunWriter
  reader: InputReader
  pipeline: Pipeline
  naming: Naming | undefined
  /** Names by who is enrolled at that moment. */
  renewNaming: () => Promise<Naming | undefined>
  labels: readonly string[] | undefined
  /** Undefined where nobody is looked for. */
  sorting: Pick<SortFacesOptions, 'ledgerFile' | 'embedder'> | undefined
  fleet: Fleet
  /** Absolute. */
  out: string
  /** Real path of it. */
  place: string
  options: PredictOptions
  ctx: Context
  onEvent: (event: PredictEvent) => void
  /** Why persons-lite does what was asked of persons, where it does. */
  because: string | undefined
}

/** One run from its beginning to its end, in a ledger and a folder that it alone writes to. */
export class PredictRun {
  readonly #ledger: Ledger
  readonly #run: BegunRun
  readonly #pipeline: Pipeline
  readonly #naming: Naming | undefined
  readonly #renewNaming: RunParts['renewNaming']
  readonly #sorting: RunParts['sorting']
  /** What the person asked for. */
  readonly #asked: PredictOptions
  readonly #because: string | undefined
  readonly #fleet: Fleet
  readonly #out: string
  readonly #ctx: Context
  readonly #log: RunLog
  readonly #onEvent: (event: PredictEvent) => void
  readonly #commits: GroupCommit<LedgerChange>
  readonly #writer: RunWriter
  readonly #reader: InputReader
  readonly #recorder: Recorder
  readonly #audit: number
  /** Inputs that were given to the scheduler, or needed no job. */
  #taken = 0
  readonly #discovery: Discovery
  /** Aborts on Ctrl-C and on an error that makes going on pointless. */
  readonly #drain = new AbortController()
  readonly #started = performance.now()
  /** Where pictures go to, once it is there. */
  #pictures: OutFolder | undefined
  #outSeen = Number.NEGATIVE_INFINITY
  /** Pictures of kinds that no node reads, as far as they were told of. */
  #unreadTold = 0

  constructor(parts: RunParts) {
    const { ledger, writer, reader, pipeline, naming, labels, sorting, fleet, out, place, options, ctx, onEvent } =
      parts
    this.#ledger = ledger
    const before = ledger.lastRunOf(place)?.options.results as Partial<ResultOptions> | undefined
    this.#asked = { ...options, ...modelOptions(pipeline), results: withEarlier(options.results, before) }
    this.#run = ledger.beginRun({
      out: place,
      options: runOptions(this.#asked, pipeline, sorting?.embedder),
      pipelineDigest: sha256(canonicalJson(pipeline)),
      ...(options.run === undefined ? {} : { id: options.run }),
    })
    this.#pipeline = pipeline
    this.#naming = naming
    this.#renewNaming = parts.renewNaming
    this.#sorting = sorting
    this.#because = parts.because
    this.#fleet = fleet
    this.#out = out
    this.#audit = options.audit
    this.#ctx = ctx
    this.#log = new RunLog(ctx.logger, this.#run.id)
    this.#onEvent = onEvent
    this.#commits = new GroupCommit((changes) => this.#commit(changes), commitSpacingMs)
    this.#writer = writer
    this.#reader = reader
    // All names are given with the same from the beginning of a new run on; an older one is brought there at its end.
    if (this.#run.left === undefined) ledger.setNamedBy(this.#run, namedByOf(naming))
    else if (ledger.namedBy(this.#run.id) !== namedByOf(naming)) ledger.setNamedBy(this.#run, null)
    const annotates = pipeline.annotate !== 'none'
    const { verify, retry } = options
    this.#recorder = new Recorder({
      ledger,
      commits: this.#commits,
      writer,
      run: this.#run.id,
      out,
      annotates,
      matcher: naming?.match,
      labels,
    })
    this.#discovery = new Discovery(ledger, this.#commits, this.#run, { out, annotates, verify, retry })
  }

  async go(roots: Root[]): Promise<PredictResult> {
    using listening = new DisposableStack()
    listening.defer(this.#drainWith(this.#ctx.signal))
    let found: Promise<void> | undefined
    try {
      const out = await makeOut(this.#out)
      if (this.#pipeline.annotate !== 'none') this.#pictures = await OutFolder.open(out)
      const cleaned = this.#removeLeftovers()
      found = this.#discover(roots, out)
      found.catch((error) => this.#drain.abort(toCpnError(error)))
      const usable = this.#fleet.nodes.filter((node) => node.slots > 0).map((node) => node.name)
      this.#log.began(usable)
      this.#onEvent({ type: 'begin', run: this.#run.id, epoch: this.#run.epoch, out: this.#out, usable })
      await using _awake = keepAwake(`run ${this.#run.id}`)
      listening.defer(this.#watchNodes())
      listening.defer(tellNodes(this.#fleet, this.#ctx))
      await this.#firstLook(found)
      await assertSpace(this.#out, this.#pipeline.annotate === 'none' ? 0 : this.#discovery.bytes)
      await this.#work()
      await found
      await cleaned
      if (this.#isEmpty()) throw nothingToDo(roots)
      if (!this.#drain.signal.aborted) {
        await this.#applyNames()
        await forgetGone(this.#ledger, this.#commits, this.#run, this.#discovery.inputs, this.#ctx.notice)
      }
    } catch (error) {
      this.#drain.abort(toCpnError(error))
    } finally {
      await found?.catch(() => {})
    }
    return await this.#end()
  }

  /** People may have been named since an earlier epoch, or forgotten since this one began, or thresholds be others. */
  async #applyNames(): Promise<void> {
    if (!looksForPersons(this.#asked.pipelineName)) return
    const { changed, redrawn } = await applyNames(
      {
        ledger: this.#ledger,
        writer: this.#writer,
        reader: this.#reader,
        run: this.#run,
        pipeline: this.#pipeline,
        naming: await this.#renewNaming(),
        fleet: async () => this.#fleet,
        out: this.#out,
        drain: this.#drain.signal,
      },
      this.#ctx,
    )
    if (changed > 0)
      this.#ctx.notice(`${changed} photos have other names than before; ${redrawn} pictures were drawn anew`)
  }

  /** What was written into a folder that is gone must not count. */
  async #commit(changes: readonly LedgerChange[]): Promise<void> {
    const now = performance.now()
    if (now - this.#outSeen > outLookMs) {
      await this.#pictures?.check()
      this.#outSeen = now
    }
    await this.#writer.commit(this.#run, changes)
  }

  async #discover(roots: Root[], out: string): Promise<void> {
    const tell = () => {
      const { inputs, skipped, complete } = this.#discovery
      this.#onEvent({ type: 'found', inputs, skipped, complete })
    }
    const timer = setInterval(tell, 200)
    try {
      await this.#discovery.run(findInputs(roots, out), this.#drain.signal, (path, reason) =>
        this.#ctx.notice(`${path} is left out: ${reason}`),
      )
    } finally {
      clearInterval(timer)
      tell()
      this.#tellUnread()
    }
  }

  /** When everything was found; where that takes longer than the first look, then as well. */
  #tellUnread(): void {
    const { unread, complete } = this.#discovery
    const count = unread.values().reduce((sum, each) => sum + each, 0)
    if (count > this.#unreadTold) this.#ctx.notice(describeUnread(unread, complete))
    this.#unreadTold = count
  }

  /** A master that died has left what it was writing. */
  async #removeLeftovers(): Promise<void> {
    if (this.#run.died) await removeLeftovers(this.#out, this.#drain.signal)
  }

  #isEmpty(): boolean {
    return this.#discovery.inputs === 0 && this.#ledger.counts(this.#run.id).inputs === 0
  }

  /** Before anything is sent it is known what nobody can read, and that what was found has room. */
  async #firstLook(found: Promise<void>): Promise<void> {
    const enough = new AbortController()
    const second = systemClock.sleep(firstLookMs, enough.signal).catch(() => {})
    await Promise.race([found, second])
    enough.abort()
    this.#tellUnread()
  }

  async #work(): Promise<void> {
    const outcomes = schedule(this.#jobs(), this.#fleet, {
      run: this.#run.id,
      epoch: this.#run.epoch,
      pipeline: this.#pipeline,
      matching: this.#naming?.matching,
      clock: systemClock,
      random: Math.random,
      audit: this.#audit,
      left: () => this.#left(),
      onNotice: (notice) => this.#ctx.notice(describeNotice(notice)),
      drain: this.#drain.signal,
      onAttempt: (event) => this.#note(event),
    })
    const settling = new Set<Promise<void>>()
    try {
      for await (const outcome of outcomes) {
        const settled: Promise<void> = this.#settle(outcome).finally(() => settling.delete(settled))
        settling.add(settled)
        if (settling.size >= settleAtOnce) await Promise.race(settling)
      }
    } finally {
      await Promise.all(settling)
    }
  }

  /** Inputs that the scheduler may still get; undefined while they are looked for. */
  #left(): number | undefined {
    const { complete, inputs, skipped } = this.#discovery
    return complete ? inputs - skipped - this.#taken : undefined
  }

  /** Jobs of queued inputs; inputs with content seen before never become one. */
  async *#jobs(): AsyncGenerator<Job> {
    const loaded = mapAhead(this.#discovery.queued(), readAhead, async (input) => ({
      input,
      job: await this.#reader.job(input.source).catch(toCpnError),
    }))
    for await (const { input, job } of loaded) {
      this.#taken++
      if (job instanceof CpnError) this.#finished(await this.#recorder.fail(input, job))
      else if (await this.#isNew(input, job)) yield this.#withPast(input, job)
    }
  }

  /** What was in work when an earlier master ended may have ended its workers. */
  #withPast({ seq }: Input, job: ReadJob): Job {
    if (this.#run.epoch === 1) return job
    return { ...job, earlier: this.#ledger.earlierFailures(this.#run, job.id, seq) }
  }

  async #isNew(input: Input, job: ReadJob): Promise<boolean> {
    const claim = await this.#recorder.claim(input, job)
    if (typeof claim === 'object') this.#finished(claim)
    return claim === 'new'
  }

  async #settle(outcome: JobOutcome): Promise<void> {
    this.#log.outcome(outcome)
    try {
      for (const input of await this.#recorder.settle(outcome)) this.#finished(input)
      if (outcome.state === 'quarantined')
        this.#ctx.notice(describeQuarantine(outcome, { ...this.#asked, ...modelOptions(this.#pipeline) }))
    } catch (error) {
      // The inputs stay queued: a disk that is full loses nothing.
      this.#drain.abort(toCpnError(error))
    }
  }

  #finished(input: FinishedInput): void {
    this.#onEvent({ type: 'finished', input })
  }

  #note({ error, ...event }: AttemptEvent): void {
    this.#log.attempt({ error, ...event })
    const told = error && { code: error.code, message: error.message }
    const change = {
      kind: 'attempt',
      time: new Date().toISOString(),
      ...event,
      error: told,
    } as const
    this.#commits.addLater(change).catch((failure) => this.#drain.abort(toCpnError(failure)))
  }

  #drainWith(signal: AbortSignal): () => void {
    const onAbort = () => {
      this.#ctx.notice('interrupted: images in work end first; once more ends at once')
      this.#drain.abort(new CpnError('CPN_ERR_INTERRUPTED', 'interrupted'))
    }
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    return () => signal.removeEventListener('abort', onAbort)
  }

  /** Says so when the last usable node is lost and when one is back. */
  #watchNodes(): () => void {
    let waiting = false
    const look = () => {
      const none = !this.#fleet.nodes.some((node) => node.slots > 0)
      if (none !== waiting) this.#onEvent({ type: 'stalled', waiting: none })
      waiting = none
    }
    look()
    // When nobody will ever be tried again, waiting leads nowhere.
    this.#fleet.abandoned().then((error) => this.#drain.abort(error))
    return this.#fleet.onChange(look)
  }

  async #end(): Promise<PredictResult> {
    await this.#commits.idle()
    await this.#recount()
    const ended: CpnError | undefined = this.#drain.signal.reason
    if (ended && this.#isEmpty()) {
      // Nothing was to be done: an OUT that was made for it goes again, one that holds something stays.
      await rmdir(this.#out).catch(() => {})
      this.#ledger.deleteRun(this.#run.id)
      throw ended
    }
    const seconds = Math.max(0.001, (performance.now() - this.#started) / 1000)
    const { bytes: _, ...counts } = this.#ledger.counts(this.#run.id)
    const summary: Summary = {
      run: this.#run.id,
      ...counts,
      ignored: this.#discovery.ignored,
      ...(this.#because === undefined
        ? {}
        : { instead: { pipeline: this.#asked.pipelineName, because: this.#because } }),
      seconds: round(seconds),
      imagesPerSecond: round(counts.done / seconds),
    }
    this.#log.ended(summary, ended?.code)
    try {
      const unwritten = await writeRunResults(this.#ledger, this.#run.id, this.#out, this.#asked, this.#ctx)
      if (unwritten.length > 0) summary.unwritten = unwritten.length
      await writeSummary(this.#out, summary)
    } catch (error) {
      // The ledger has everything; the reason why the run ended matters more than a second full disk.
      if (!ended) throw error
    }
    this.#ledger.endRun(this.#run, ended ? 'interrupted' : 'finished')
    if (!ended) await this.#sortFaces()
    return { summary, out: this.#out, ...(ended ? { ended } : {}) }
  }

  async #sortFaces(): Promise<void> {
    if (!this.#sorting) return
    const out = await realpath(this.#out)
    const annotated = this.#pipeline.annotate !== 'none'
    const onProgress = (done: number) => this.#onEvent({ type: 'grouping', done })
    const { sorted } = await sortFaces({ ...this.#sorting, run: this.#run, out, annotated }, this.#ctx, onProgress)
    if (!sorted?.groups) return
    const { grouped, groups, folder } = sorted
    const what =
      groups === 1 ? `${grouped} faces seem to be of somebody` : `${grouped} faces seem to be of ${groups} people`
    this.#ctx.notice(`${what} without a name; see ${folder}, then: cpn people name unknown-001 NAME`)
  }

  /** Somebody may have taken pictures away meanwhile. */
  async #recount(): Promise<void> {
    await using pictures = this.#pictures
    if (!pictures) return
    try {
      const commit = (changes: readonly LedgerChange[]) => this.#writer.commit(this.#run, changes)
      const lost = await queueLost(this.#ledger, commit, this.#run, this.#out)
      if (lost > 0) throw outLost(`${lost} pictures were removed from ${this.#out} while the run went on`)
    } catch (error) {
      // The first reason for an end is the one that counts.
      this.#drain.abort(toCpnError(error))
    }
  }
}

/** What `runs resume` needs to ask for the same again. */
function runOptions(
  options: PredictOptions,
  pipeline: Pipeline,
  embedder: Pick<ModelManifest, 'thresholds'> | undefined,
) {
  const { paths, hosts, pipelineName, threshold, embeddings, results } = options
  const thresholds = embedder?.thresholds
  const asked = { paths: paths.map((path) => resolve(path)), hosts, pipelineName, threshold, embeddings, results }
  return { ...asked, pipeline, thresholds }
}

export function nothingToDo(roots: Root[]): CpnError {
  return new CpnError('CPN_ERR_INPUT_MISSING', `there is no image in ${roots.map(({ path }) => path).join(', ')}`, {
    suggestions: ['Name a folder with images; hidden files and outputs of earlier runs are left out.'],
  })
}

const round = (value: number) => Math.round(value * 1000) / 1000
