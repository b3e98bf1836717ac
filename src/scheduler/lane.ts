import type { Death } from './blame.ts'
import type { Candidate } from './placement.ts'
import { Rate } from './rate.ts'
import type { Attempt } from './task.ts'

/** Faults in a row that make a node sick: it gets one job at a time then, and pauses once others do better. */
const sickFaults = 3
const asideMs = { first: 2_000, most: 60_000 } as const
/** A wrong result is worse than none. */
const distrustMs = { first: 60_000, most: 15 * 60_000 } as const
/** Results that a node which was wrong has to have confirmed. */
const probationJobs = 10

/** What a run knows of one node, over all its connections: what it has in work, its pace, its credit. */
export class Lane {
  readonly name: string
  readonly rate = new Rate()
  readonly running = new Set<Attempt>()
  /** Jobs that ended well. */
  successes = 0
  /** Attempts that failed through the node since its last success; many at once are one. */
  faults = 0
  /** Attempts that were started here. */
  starts = 0
  /** Times that its agent died of what is not known to be an image. */
  readonly deaths = new Set<Death>()
  /** Short pauses that go on. */
  pauses = 0
  /** Long pauses that go on; they count only while another node works. */
  asides = 0
  /** Results that get a second opinion in any case. */
  probation = 0
  /** The agent's last death, until it gets something again. */
  #death: Death | undefined
  /** Jobs in work here that the node's other masters leave room for, as far as is known. */
  #share = Number.POSITIVE_INFINITY
  #shareCutAt = Number.NEGATIVE_INFINITY
  #timesAside = 0
  #timesWrong = 0
  #load = 0
  #loadAt = 0

  constructor(name: string) {
    this.name = name
  }

  get inFlight(): number {
    return this.running.size
  }

  get isSick(): boolean {
    return this.faults >= sickFaults
  }

  /** It does jobs: when one fails here, that says something about the job. */
  get isCredible(): boolean {
    return this.successes > 0 && !this.isSick
  }

  /**
   * Jobs that may be in work here at once. One per worker until it is measured, so that a slow node holds few; one at a
   * time while it is sick; no more than its share while other masters use it, too.
   */
  limit(slots: number): number {
    if (this.isSick) return Math.min(1, slots)
    const most = this.rate.value === undefined ? workersOf(slots) : slots
    return Math.min(most, Math.floor(this.#share))
  }

  /** @param able false while it gets nothing on purpose */
  candidate(slots: number, able: boolean): Candidate {
    return {
      name: this.name,
      free: able && !this.#hasSuspect ? Math.max(0, this.limit(slots) - this.inFlight) : 0,
      inFlight: this.inFlight,
      workers: workersOf(slots),
      rate: this.rate.value,
      able,
    }
  }

  enter(attempt: Attempt, now: number): void {
    this.#advance(now)
    this.starts++
    this.#death = undefined
    for (const other of this.running) other.accompanied = true
    attempt.accompanied = this.running.size > 0
    this.running.add(attempt)
  }

  leave(attempt: Attempt, now: number): void {
    this.#advance(now)
    this.running.delete(attempt)
  }

  /** The sum of all milliseconds that jobs have spent here. */
  loadAt(now: number): number {
    this.#advance(now)
    return this.#load
  }

  /**
   * The node had no room for an attempt, because another master uses it: half of what is in work here at most from now on, and
   * one more with every round that ends well. Masters that all do so come to equal shares, as connections do on a link.
   */
  refused(attempt: Attempt, now: number): void {
    // What was on its way when the share was cut last tells nothing new.
    if (attempt.started <= this.#shareCutAt) return
    this.#share = Math.max(1, (this.running.size - 1) / 2)
    this.#shareCutAt = now
  }

  /** Call before the attempt leaves. */
  succeeded(attempt: Attempt, now: number, slots: number): void {
    this.successes++
    this.#share += 1 / this.#share
    if (this.#share > slots) this.#share = Number.POSITIVE_INFINITY
    this.faults = 0
    this.#timesAside = 0
    const milliseconds = now - attempt.started
    const shared = milliseconds > 0 ? (this.loadAt(now) - attempt.loadAtStart) / milliseconds : this.inFlight
    this.rate.completed(now, milliseconds, Math.max(shared, workersOf(slots)), attempt.task.job.bytes)
  }

  /** Its agent died. All that were in work there tell of one and the same death. */
  died(): Death {
    if (this.#death) return this.#death
    this.#death = { node: this.name }
    this.deaths.add(this.#death)
    return this.#death
  }

  /** Milliseconds of the next long pause: each is longer than the last, until something succeeds here. */
  nextAsideMs(random: () => number): number {
    return growing(asideMs, this.#timesAside++, random)
  }

  /** Milliseconds that a node with a wrong result is left alone for. */
  distrust(random: () => number): number {
    this.probation = probationJobs
    return growing(distrustMs, this.#timesWrong++, random)
  }

  /** Milliseconds that one more job of this size would take here. */
  expectedMs(slots: number, bytes: number): number | undefined {
    return this.rate.expectedMs(Math.max(this.inFlight + 1, workersOf(slots)), bytes)
  }

  /** A job that may take the agent down runs here: nothing else may be lost with it. */
  get #hasSuspect(): boolean {
    return this.running.values().some(({ purpose }) => purpose === 'alone')
  }

  #advance(now: number): void {
    this.#load += this.running.size * (now - this.#loadAt)
    this.#loadAt = now
  }
}

/** A node has two slots per worker: one for the image in work and one for the next. */
export function workersOf(slots: number): number {
  return Math.max(1, Math.ceil(slots / 2))
}

function growing({ first, most }: { first: number; most: number }, times: number, random: () => number): number {
  return Math.min(most, first * 2 ** times) * (0.5 + random() / 2)
}
