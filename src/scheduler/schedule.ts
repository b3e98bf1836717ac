import type { Clock } from '../common/clock.ts'
import { CpnError, toCpnError } from '../common/errors.ts'
import type { Matching, Pipeline } from '../protocol/pipeline.ts'
import { attemptDeadlineMs } from './attempt-deadline.ts'
import { Audits } from './audits.ts'
import { backoffMs, isAboutImage, judge, type Verdict } from './blame.ts'
import { chooseHedge, mayHedge, untilHedgeMs } from './hedging.ts'
import { chooseWard } from './isolation.ts'
import type { Lane } from './lane.ts'
import { Lanes, type NodeCandidate } from './lanes.ts'
import { place } from './placement.ts'
import { Queue, type Request } from './queue.ts'
import type { AttemptEvent, AttemptPurpose, Job, JobOutcome, NodeNotice, NodePool, NodeResult } from './scheduler.ts'
import { type Attempt, isOnlySampled, type Task } from './task.ts'
import type { Vote } from './votes.ts'

export interface ScheduleOptions {
  run: string
  epoch: number
  pipeline: Pipeline
  /** How faces get names, which a node writes on the picture. */
  matching?: Matching | undefined
  clock: Clock
  /** Uniform in [0, 1). */
  random: () => number
  /** Share of jobs, 0..1, that are computed on a second node and compared. Default 0. */
  audit?: number
  /** Jobs that the source still has, at most; undefined while nobody knows. */
  left?: () => number | undefined
  /** Drains: no new attempts, those in flight end. Jobs without an outcome then are pending. */
  drain: AbortSignal
  onAttempt?: (event: AttemptEvent) => void
  onNotice?: (notice: NodeNotice) => void
}

/** Outcomes kept for a slow consumer; more than that and no new attempt starts. */
const maxUnread = 16
/** Between two looks at what is still in work at the end. */
const tailLookMs = { least: 20, most: 1000 } as const
/** A node without room gets one in a moment, by itself. */
const busyFailures = 2

/**
 * Runs every job on some node and yields one outcome each, in order of completion. Jobs are pulled only while a node has
 * credit, which is the backpressure. While no node is usable it waits.
 */
export async function* schedule(
  jobs: AsyncIterable<Job>,
  pool: NodePool,
  options: ScheduleOptions,
): AsyncGenerator<JobOutcome> {
  const scheduler = new Scheduler(jobs, pool, options)
  try {
    yield* scheduler.outcomes()
  } finally {
    await scheduler.close()
  }
}

class Scheduler {
  readonly #options: ScheduleOptions
  readonly #queue: Queue
  readonly #lanes: Lanes
  readonly #audits: Audits
  readonly #stopListening: () => void
  readonly #closed = new AbortController()
  readonly #unread: JobOutcome[] = []
  /** The node that is kept free for jobs that have to run alone. */
  #ward: string | undefined
  #hedges = 0
  #looksAgain = false
  #failure: unknown
  #wake = Promise.withResolvers<void>()

  constructor(jobs: AsyncIterable<Job>, pool: NodePool, options: ScheduleOptions) {
    const onChange = () => this.#dispatch()
    this.#options = options
    this.#queue = new Queue(jobs)
    this.#lanes = new Lanes({ pool, clock: options.clock, closed: this.#closed.signal, onChange })
    this.#audits = new Audits({
      ...options,
      lanes: this.#lanes,
      onOverruled: ({ node, attempt }, { job }) =>
        this.#tell({ job: job.id, attempt, node, purpose: 'audit', state: 'overruled' }),
    })
    const stopPool = pool.onChange(onChange)
    options.drain.addEventListener('abort', onChange)
    this.#stopListening = () => {
      stopPool()
      options.drain.removeEventListener('abort', onChange)
    }
  }

  async *outcomes(): AsyncGenerator<JobOutcome> {
    this.#dispatch()
    for (;;) {
      while (this.#unread.length > 0) {
        yield this.#unread.shift()!
        this.#dispatch()
      }
      if (this.#isFinished()) {
        if (this.#failure !== undefined) throw this.#failure
        return
      }
      await this.#wake.promise
      this.#wake = Promise.withResolvers()
    }
  }

  async close(): Promise<void> {
    this.#stopListening()
    this.#closed.abort()
    for (const { cancel } of this.#running()) cancel.abort(notNeeded())
    await this.#queue.close()
  }

  #isFinished(): boolean {
    if (this.#running().length > 0) return false
    if (this.#isEnding()) return true
    return this.#queue.isExhausted && this.#queue.isEmpty
  }

  /** Nothing new starts; what is in work still ends. */
  #isEnding(): boolean {
    return this.#options.drain.aborted || this.#failure !== undefined
  }

  #running(): Attempt[] {
    return [...this.#lanes.all()].flatMap((lane) => [...lane.running])
  }

  #dispatch(): void {
    if (this.#isEnding()) this.#giveUpAudits()
    while (!this.#isEnding() && this.#unread.length < maxUnread && this.#startOne()) {}
    this.#wake.resolve()
  }

  /** Starts one attempt or one pull; false when there is nothing to start. */
  #startOne(): boolean {
    const candidates = this.#lanes.candidates()
    if (this.#startSuspect(candidates)) return true
    const left = this.#left()
    for (const request of this.#queue.waiting) {
      if (request.purpose === 'alone') continue
      if (request.purpose === 'audit' && this.#settleHopeless(request)) return true
      const chosen = this.#place(request, candidates, left)
      if (!chosen) continue
      this.#queue.remove(request)
      this.#start(request.task, request.purpose, chosen)
      return true
    }
    // Jobs that wait for another try count: a node that fails at once must not empty the source into memory.
    const { isPulling, isExhausted, waiting } = this.#queue
    const hasCredit = candidates.some(({ free }) => free > 0)
    if (hasCredit && !isPulling && !isExhausted && waiting.length < this.#lanes.slots) void this.#pull()
    return isExhausted && waiting.length === 0 && this.#hedge(candidates)
  }

  /** Jobs that wait or are to come; undefined while nobody knows. */
  #left(): number | undefined {
    const toCome = this.#queue.isExhausted ? 0 : this.#options.left?.()
    return toCome === undefined ? undefined : toCome + this.#queue.waiting.length
  }

  #place({ task, purpose }: Request, candidates: NodeCandidate[], left: number | undefined): NodeCandidate | undefined {
    const asked = purpose === 'audit' ? this.#audits.candidatesFor(task, candidates) : candidates
    return place(apartFrom(task, asked), task.history.failedOn, left)
  }

  /** Keeps a node free for the first suspect, and starts that once the node is empty. */
  #startSuspect(candidates: NodeCandidate[]): boolean {
    const suspect = this.#queue.waiting.find(({ purpose }) => purpose === 'alone')
    if (!suspect) {
      this.#ward = undefined
      return false
    }
    const { failedOn } = suspect.task.history
    const kept = candidates.find(({ name, able }) => name === this.#ward && able && !failedOn.has(name))
    const ward = kept ?? chooseWard(candidates, failedOn)
    this.#ward = ward?.name
    if (!ward) return false
    ward.free = 0
    if (ward.inFlight > 0) return false
    this.#queue.remove(suspect)
    this.#start(suspect.task, 'alone', ward)
    return true
  }

  async #pull(): Promise<void> {
    try {
      await this.#queue.pull()
    } catch (error) {
      this.#failure = error
    }
    this.#dispatch()
  }

  /** Gives what would hold the end up a second copy on a node that has nothing else to do. */
  #hedge(candidates: NodeCandidate[]): boolean {
    const { clock } = this.#options
    const now = clock.now()
    const open = this.#running().filter(({ task, purpose }) => !task.settled && !task.hedged && purpose !== 'alone')
    if (open.length > 0 && open.every(({ task }) => isOnlySampled(task))) {
      for (const { task } of open) this.#settleWith(task, task.votes[0]!)
      return true
    }
    const best = ({ task }: Attempt) => fastestFor(task, apartFrom(task, this.#audits.candidatesFor(task, candidates)))
    const slow = chooseHedge(open, now, (attempt) => best(attempt)?.milliseconds)
    if (!slow) {
      const waits = open.map((attempt) => untilHedgeMs(attempt, now, best(attempt)?.milliseconds ?? Infinity))
      this.#lookAgain(Math.min(...waits))
      return false
    }
    if (!mayHedge(this.#hedges, this.#queue.jobs)) return false
    this.#hedges++
    slow.task.hedged = true
    this.#start(slow.task, 'hedge', best(slow)!)
    return true
  }

  #lookAgain(milliseconds: number): void {
    if (this.#looksAgain || !Number.isFinite(milliseconds)) return
    this.#looksAgain = true
    const { least, most } = tailLookMs
    this.#options.clock.sleep(Math.min(most, Math.max(least, milliseconds)), this.#closed.signal).then(
      () => {
        this.#looksAgain = false
        this.#dispatch()
      },
      () => {},
    )
  }

  #start(task: Task, purpose: AttemptPurpose, { lane, node }: NodeCandidate): void {
    const { clock, run, epoch, pipeline, matching } = this.#options
    const now = clock.now()
    const expectedMs = lane.expectedMs(node.slots, task.job.bytes)
    const attempt: Attempt = {
      task,
      lane,
      number: ++task.tries,
      purpose,
      started: now,
      expectedMs,
      loadAtStart: lane.loadAt(now),
      accompanied: false,
      cancel: new AbortController(),
    }
    lane.enter(attempt, now)
    task.running.add(attempt)
    this.#tellOf(attempt, 'started')
    const fullMs = lane.rate.expectedMs(node.slots, task.job.bytes)
    const deadlineMs = attemptDeadlineMs(fullMs, pipeline.maxPixels, task.history.wasLate || purpose === 'hedge')
    const { signal } = attempt.cancel
    const about = { attempt: attempt.number, epoch, run, pipeline, matching, deadlineMs, signal }
    node.predict({ job: task.job, ...about }).then(
      (result) => {
        if (task.settled) result.release?.()
        this.#ended(attempt, () => this.#succeeded(attempt, result, node.build))
      },
      (error) => this.#ended(attempt, () => this.#failed(attempt, toCpnError(error))),
    )
  }

  #ended(attempt: Attempt, judge: () => void): void {
    const { task, lane } = attempt
    task.running.delete(attempt)
    // The first valid result has won: a late one is dropped, and a failure is nobody's fault.
    if (task.settled || attempt.cancel.signal.aborted) this.#tellOf(attempt, 'cancelled')
    else judge()
    lane.leave(attempt, this.#options.clock.now())
    this.#dispatch()
  }

  #succeeded(attempt: Attempt, result: NodeResult, build: string | undefined): void {
    const { task, lane, started, number } = attempt
    const now = this.#options.clock.now()
    lane.succeeded(attempt, now, this.#lanes.slotsOf(lane.name))
    this.#tellOf(attempt, 'done')
    this.#heard(task, { node: lane.name, attempt: number, build, opinion: { result }, milliseconds: now - started })
  }

  #failed(attempt: Attempt, error: CpnError): void {
    const { task, lane, number, started } = attempt
    const milliseconds = this.#options.clock.now() - started
    const vote = { node: lane.name, attempt: number, build: undefined, opinion: { error }, milliseconds }
    this.#tellOf(attempt, 'failed', error)
    const isDeath = error.code === 'CPN_ERR_AGENT_DIED'
    if (isDeath) task.history.deaths.add(lane.died())
    const verdict = judge(error, task.history, {
      node: lane.name,
      credible: lane.isCredible && !(isDeath && diesOfOthers(task, lane)),
      alone: !attempt.accompanied,
      usable: this.#lanes.usable(),
      othersAway: this.#lanes.someAway(task.history.failedOn),
    })
    if (verdict === 'stop') this.#failure = error
    else if (isAboutImage(error) && verdict === 'fail') this.#heard(task, vote)
    else if (task.votes.length > 0) this.#auditFailed(task, verdict)
    else if (verdict === 'fail' || verdict === 'quarantine') this.#giveUp(task, verdict, error)
    else if (task.running.size === 0) this.#queue.add(task, task.history.suspect ? 'alone' : 'retry')
    if (verdict === 'busy') this.#leaveRoom(attempt)
    if (verdict === 'elsewhere' || verdict === 'again') this.#pause(lane, verdict, error)
  }

  /** A result, or a statement about the image: it counts, unless somebody else is asked, too. */
  #heard(task: Task, vote: Vote): void {
    task.audit ??= this.#audits.wants(task, vote)
    if (!task.audit) {
      this.#settleWith(task, vote)
      return
    }
    this.#cancel(task)
    task.votes.push(vote)
    this.#count(task)
  }

  #count(task: Task): void {
    const kept = this.#audits.count(task)
    if (kept) this.#settleWith(task, kept)
    else this.#queue.add(task, 'audit')
  }

  #auditFailed(task: Task, verdict: Verdict): void {
    if (verdict !== 'again' && verdict !== 'busy') task.failedAudits++
    if (task.running.size === 0) this.#count(task)
  }

  /** A second opinion that nobody can give any more is not waited for, and at the end of a run no sample is. */
  #settleHopeless(request: Request): boolean {
    const { task } = request
    const isLate = this.#queue.isExhausted && isOnlySampled(task)
    const kept = isLate ? task.votes[0] : this.#audits.count(task)
    if (!kept) return false
    this.#queue.remove(request)
    this.#settleWith(task, kept)
    return true
  }

  /** What nobody contradicts counts; what is disputed stays pending. */
  #giveUpAudits(): void {
    for (const request of this.#queue.waiting.filter(({ purpose }) => purpose === 'audit')) {
      this.#queue.remove(request)
      if (request.task.votes.length === 1) this.#settleWith(request.task, request.task.votes[0]!)
    }
  }

  #settleWith(task: Task, kept: Vote): void {
    const { node, opinion, milliseconds } = kept
    for (const { opinion } of task.votes.filter((vote) => vote !== kept))
      if ('result' in opinion) opinion.result.release?.()
    const about = { job: task.job, attempts: task.tries }
    if ('error' in opinion) this.#settle(task, { ...about, state: 'failed', error: opinion.error })
    else this.#settle(task, { ...about, state: 'done', node, result: opinion.result, milliseconds })
  }

  #giveUp(task: Task, verdict: 'fail' | 'quarantine', error: CpnError): void {
    const about = { job: task.job, attempts: task.tries, error }
    const nodes = [...new Set(task.history.kills.map(({ node }) => node))]
    if (verdict === 'fail') this.#settle(task, { ...about, state: 'failed' })
    else this.#settle(task, { ...about, state: 'quarantined', nodes })
    if (verdict !== 'quarantine') return
    // It was the image: the nodes are not to blame.
    for (const node of nodes) this.#lanes.get(node).faults = 0
    for (const death of task.history.deaths) this.#lanes.get(death.node).deaths.delete(death)
  }

  #settle(task: Task, outcome: JobOutcome): void {
    task.settled = true
    this.#cancel(task)
    this.#unread.push(outcome)
  }

  #cancel(task: Task): void {
    for (const { cancel } of task.running) cancel.abort(notNeeded())
  }

  /** Leaves room to the node's other masters. What is in work there tells when to go on; without that, time does. */
  #leaveRoom(attempt: Attempt): void {
    const { lane } = attempt
    lane.refused(attempt, this.#options.clock.now())
    if (lane.inFlight === 1) this.#lanes.pause(lane, backoffMs(busyFailures, this.#options.random))
  }

  /** Gives a node nothing for a while: its next failure may come as fast as the last, so that pauses grow. */
  #pause(lane: Lane, verdict: 'elsewhere' | 'again', error: CpnError): void {
    const { random, onNotice } = this.#options
    // All that a lost host had in work fails at once: that is one fault.
    if (lane.pauses === 0) lane.faults++
    this.#lanes.pause(lane, backoffMs(lane.faults, random))
    if (verdict !== 'elsewhere' || !lane.isSick || lane.asides > 0 || !this.#othersSucceed(lane)) return
    const milliseconds = lane.nextAsideMs(random)
    this.#lanes.setAside(lane, milliseconds)
    onNotice?.({ kind: 'set-aside', node: lane.name, milliseconds, error })
  }

  #othersSucceed(lane: Lane): boolean {
    return this.#lanes.candidates().some((other) => other.lane !== lane && other.lane.isCredible)
  }

  #tellOf({ task, lane, number, purpose }: Attempt, state: AttemptEvent['state'], error?: CpnError): void {
    this.#tell({ job: task.job.id, attempt: number, node: lane.name, purpose, state, ...(error ? { error } : {}) })
  }

  #tell(event: AttemptEvent): void {
    this.#options.onAttempt?.(event)
  }
}

/** The node's agent died while this job was not there, and nobody knows why: its death says nothing of this job. */
function diesOfOthers({ history }: Task, { deaths }: Lane): boolean {
  return deaths.difference(history.deaths).size > 0
}

/** Without the nodes that have it in work, one that was told to stop a moment ago included. */
function apartFrom(task: Task, candidates: NodeCandidate[]): NodeCandidate[] {
  return candidates.filter(({ lane }) => !task.running.values().some((attempt) => attempt.lane === lane))
}

/** The node with room that would be done with a job first, of those that were measured and have not failed at it. */
function fastestFor({ job, history }: Task, candidates: NodeCandidate[]) {
  const able = candidates.filter(({ name, free }) => free > 0 && !history.failedOn.has(name))
  return able.reduce<(NodeCandidate & { milliseconds: number }) | undefined>((fastest, next) => {
    const milliseconds = next.lane.expectedMs(next.node.slots, job.bytes)
    if (milliseconds === undefined || (fastest && fastest.milliseconds <= milliseconds)) return fastest
    return { ...next, milliseconds }
  }, undefined)
}

const notNeeded = () => new CpnError('CPN_ERR_INTERRUPTED', 'the result is not needed any more')
