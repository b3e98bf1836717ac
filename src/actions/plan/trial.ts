import { systemClock } from '../../common/clock.ts'
import type { Context } from '../../common/context.ts'
import { CpnError, toCpnError } from '../../common/errors.ts'
import { mapAhead } from '../../common/map-ahead.ts'
import type { Fleet } from '../../fleet/fleet.ts'
import type { FleetNode } from '../../fleet/node.ts'
import { type Measures, type NodeMeasures, type Observation, type Phase, sumOf } from '../../planning/measures.ts'
import type { Candidate } from '../../planning/sample.ts'
import { encodePredictHeaders } from '../../protocol/headers.ts'
import type { Matching, Pipeline } from '../../protocol/pipeline.ts'
import type { InputReader } from '../../runs/input-reader.ts'
import { isAboutImage } from '../../scheduler/blame.ts'
import { schedule } from '../../scheduler/schedule.ts'
import type {
  AttemptEvent,
  AttemptRequest,
  Job,
  JobOutcome,
  NodePool,
  NodeResult,
  SchedulableNode,
} from '../../scheduler/scheduler.ts'
import { keptBytes } from './kept-bytes.ts'
import type { TrialWriter } from './trial-writer.ts'

export interface TrialOptions {
  fleet: Fleet
  reader: InputReader
  writer: TrialWriter
  pipeline: Pipeline
  matching: Matching | undefined
  /** Whether predictions.jsonl tells them. */
  embeddings: boolean
  /** In random order; one at least. */
  sample: readonly Candidate[]
}

/** How a trial is going. */
export type TrialEvent =
  | { type: 'solo'; node: string }
  | { type: 'alone'; node: string }
  | { type: 'together'; nodes: string[] }
  /** It does not count: it went, or no image came back. */
  | { type: 'failed'; node: string; error: CpnError | undefined }

/** How long nodes are given new images. */
interface Limits {
  /** Until both are reached … */
  leastMs: number
  images: number
  /** … or this. */
  mostMs: number
}

const readAhead = 4
const settleAtOnce = 16
/** One image at a time: the first one, for which models are loaded, does not count. */
const soloLimits: Limits = { leastMs: 0, images: 5, mostMs: 4000 }
/** All nodes one after another take no longer than this, unless a second for each is longer. */
const aloneMs = { each: 3000, all: 60_000, least: 1000, most: 12_000 } as const
const togetherMs = { least: 3000, most: 15_000 } as const
/** Rounds in which every slot of a node gets something: the first one is not measured. */
const rounds = 3
/** What is in work when nobody gets anything new any more is waited for, but not forever. */
const graceMs = 30_000

/**
 * Has every usable node look at the sample: one image after another, then as many as it takes, then all nodes at once.
 * What comes back is given to the writer. Rejects with CPN_ERR_NO_USABLE_HOST when no node gives a result, with the reason of the context's
 * signal when that aborts.
 */
export class Trial {
  readonly #options: TrialOptions
  readonly #ctx: Context
  readonly #onEvent: (event: TrialEvent) => void
  /** What could be read of the sample. */
  #sample: readonly Candidate[] = []
  /** Why the last image that failed did. */
  #lastFailure: CpnError | undefined
  /** Why nodes gave no result. */
  readonly #failures = new Map<string, CpnError>()

  constructor(options: TrialOptions, ctx: Context, onEvent: (event: TrialEvent) => void) {
    this.#options = options
    this.#ctx = ctx
    this.#onEvent = onEvent
  }

  async run(): Promise<Omit<Measures, 'startSeconds'>> {
    const { fleet } = this.#options
    const reading = await this.#read()
    const usable = fleet.nodes.filter(({ slots }) => slots > 0)
    const nodes: NodeMeasures[] = []
    const share = aloneMs.all / Math.max(1, usable.length)
    const leastMs = Math.max(aloneMs.least, Math.min(aloneMs.each, share))
    for (const node of usable) {
      const measured = await this.#try(node, leastMs)
      if (measured) nodes.push(measured)
      else this.#fail(node)
    }
    if (nodes.length === 0) throw noResult(usable, this.#failures)
    const together = nodes.length === 1 ? nodes[0]!.alone : await this.#together(nodes)
    if (together.observations.size === 0) throw noResult(usable, this.#failures)
    return { nodes, together, reading, masterMemoryBytes: process.memoryUsage.rss() }
  }

  #fail(node: FleetNode): void {
    const error = node.error ?? this.#lastFailure
    if (error) this.#failures.set(node.name, error)
    this.#onEvent({ type: 'failed', node: node.name, error })
  }

  /** The sample as a run reads it. A file that cannot be read is one that a run has done with at once. */
  async #read(): Promise<Measures['reading']> {
    const { reader, sample } = this.#options
    const started = performance.now()
    const readable: Candidate[] = []
    const read = async (candidate: Candidate) => ({
      candidate,
      job: await reader.job(candidate.source).catch(toCpnError),
    })
    for await (const { candidate, job } of mapAhead(streamed(sample), readAhead, read))
      if (!(job instanceof CpnError)) readable.push({ ...candidate, bytes: job.bytes })
    if (readable.length === 0) throw noneReadable(sample[0]!)
    this.#sample = readable
    const bytes = sumOf(readable, (candidate) => candidate.bytes)
    return { images: readable.length, bytes, seconds: (performance.now() - started) / 1000 }
  }

  async #try(node: FleetNode, leastMs: number): Promise<NodeMeasures | undefined> {
    const { name, slots } = node
    this.#onEvent({ type: 'solo', node: name })
    const first = await this.#phase([node], soloLimits, 1)
    const solo = first.observations.get(name) ?? []
    if (solo.length === 0) return undefined
    this.#onEvent({ type: 'alone', node: name })
    const alone = await this.#phase([node], { leastMs, images: rounds * slots, mostMs: aloneMs.most })
    if (!alone.observations.has(name)) return undefined
    return { name, workers: node.card!.workers, slots, solo: solo.length > 1 ? solo.slice(1) : solo, alone }
  }

  async #together(nodes: NodeMeasures[]): Promise<Phase> {
    const names = nodes.map(({ name }) => name)
    this.#onEvent({ type: 'together', nodes: names })
    const chosen = this.#options.fleet.nodes.filter(({ name }) => names.includes(name))
    const images = rounds * sumOf(chosen, ({ slots }) => slots)
    return this.#phase(chosen, { leastMs: togetherMs.least, images, mostMs: togetherMs.most })
  }

  /** Keeps nodes busy for a while. Ends early when all of them are lost. */
  async #phase(nodes: readonly FleetNode[], limits: Limits, slots = Number.POSITIVE_INFINITY): Promise<Phase> {
    const { fleet, pipeline, matching, embeddings } = this.#options
    const { signal } = this.#ctx
    const started = performance.now()
    const observations = new Map<string, Observation[]>()
    const watched = nodes.map(
      (node) =>
        new WatchedNode(node, { mostSlots: slots, began: started, embeddings }, (one) => {
          observations.set(node.name, [...(observations.get(node.name) ?? []), one])
        }),
    )
    const pool: NodePool = { nodes: watched, onChange: (listener) => fleet.onChange(listener) }
    const drain = new AbortController()
    const lost = () => nodes.every((node) => node.slots === 0) && drain.abort()
    using ending = new DisposableStack()
    ending.defer(fleet.onChange(lost))
    lost()
    const ahead = Math.min(
      readAhead,
      sumOf(watched, (node) => node.slots),
    )
    const source = this.#jobs(started, ahead, limits)
    const usage = process.cpuUsage()
    const idle = performance.eventLoopUtilization()
    const outcomes = schedule(source.jobs(), pool, {
      run: `plan-${process.pid}-${Math.round(performance.timeOrigin + started)}`,
      epoch: 1,
      pipeline,
      matching,
      clock: systemClock,
      random: Math.random,
      drain: AbortSignal.any([signal, drain.signal]),
      onAttempt: (event) => this.#note(event),
    })
    const late = AbortSignal.timeout(limits.mostMs + graceMs)
    late.addEventListener('abort', () => drain.abort())
    await this.#settle(outcomes)
    signal.throwIfAborted()
    const { user, system } = process.cpuUsage(usage)
    return {
      observations,
      untilMs: source.untilMs(),
      masterBusy: performance.eventLoopUtilization(idle).utilization,
      masterCpuMs: (user + system) / 1000,
    }
  }

  /** Results are written as a run writes them, some at once. */
  async #settle(outcomes: AsyncIterable<JobOutcome>): Promise<void> {
    const settling = new Set<Promise<void>>()
    try {
      for await (const outcome of outcomes) {
        if (outcome.state !== 'done') this.#lastFailure = outcome.error
        const settled: Promise<void> = this.#options.writer.settle(outcome).finally(() => settling.delete(settled))
        // Seen below.
        settled.catch(() => {})
        settling.add(settled)
        if (settling.size >= settleAtOnce) await Promise.race(settling)
      }
    } finally {
      await Promise.all(settling)
    }
  }

  #note(event: AttemptEvent): void {
    this.#options.writer.note(event).catch((error) => this.#ctx.logger.warn({ reason: error.message }, 'not noted'))
  }

  /** The sample over and over, read again each time as a run reads its images. */
  #jobs(started: number, ahead: number, { leastMs, images, mostMs }: Limits) {
    const { reader } = this.#options
    const sample = this.#sample
    let until: number | undefined
    const passed = () => performance.now() - started
    const enough = (given: number) => (given >= images && passed() >= leastMs) || passed() >= mostMs
    async function* sources(): AsyncGenerator<Candidate> {
      for (let given = 0; given === 0 || !enough(given); given++) yield sample[given % sample.length]!
      until = passed()
    }
    async function* jobs(): AsyncGenerator<Job> {
      const read = ({ source }: Candidate) => reader.job(source).catch(toCpnError)
      for await (const job of mapAhead(sources(), ahead, read)) if (!(job instanceof CpnError)) yield job
    }
    return { jobs, untilMs: () => until ?? passed() }
  }
}

async function* streamed<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

interface Watch {
  mostSlots: number
  /** When its phase began, by performance.now(). */
  began: number
  embeddings: boolean
}

/** A node that notes what became of each image, and when. */
class WatchedNode implements SchedulableNode {
  readonly #node: FleetNode
  readonly #mostSlots: number
  readonly #began: number
  readonly #embeddings: boolean
  readonly #note: (observation: Observation) => void

  constructor(node: FleetNode, { mostSlots, began, embeddings }: Watch, note: (observation: Observation) => void) {
    this.#node = node
    this.#mostSlots = mostSlots
    this.#began = began
    this.#embeddings = embeddings
    this.#note = note
  }

  get name(): string {
    return this.#node.name
  }

  get slots(): number {
    return Math.min(this.#mostSlots, this.#node.slots)
  }

  get build(): string | undefined {
    return this.#node.build
  }

  async predict(request: AttemptRequest): Promise<NodeResult> {
    const started = performance.now()
    try {
      const result = await this.#node.predict(request)
      this.#note(this.#observation(request, started, result))
      return result
    } catch (error) {
      // What a node says about the image is its answer.
      if (error instanceof CpnError && isAboutImage(error)) this.#note(this.#observation(request, started, error))
      throw error
    }
  }

  #observation(request: AttemptRequest, started: number, answer: NodeResult | CpnError): Observation {
    const { job, pipeline } = request
    const headers = encodePredictHeaders({ ...request, job: job.id, marks: job.marks })
    const about = {
      image: job.source ?? job.id,
      bytes: job.bytes,
      startedMs: started - this.#began,
      endedMs: performance.now() - this.#began,
      upBytes: job.bytes + sumOf(Object.entries(headers), ([name, value]) => name.length + value.length + 4),
    }
    const kept = keptBytes(answer, pipeline, this.#embeddings)
    return { ...about, ...kept, timings: answer instanceof CpnError ? undefined : answer.answer.timings }
  }
}

function noneReadable({ source }: Candidate): CpnError {
  return new CpnError('CPN_ERR_INPUT_UNREADABLE', `none of the sample can be read, for example ${source}`, {
    suggestions: ['Check the files and their permissions.'],
  })
}

function noResult(nodes: readonly FleetNode[], failures: ReadonlyMap<string, CpnError>): CpnError {
  const reasons = nodes.map(({ name, state }) => `${name}: ${failures.get(name)?.message ?? state}`)
  return new CpnError('CPN_ERR_NO_USABLE_HOST', `no node gave a result for the sample\n${reasons.join('\n')}`, {
    suggestions: ['Look at every host: cpn status', 'What images do to nodes is in their logs: cpn logs'],
  })
}
