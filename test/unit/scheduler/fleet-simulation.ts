import { CpnError } from '../../../src/common/errors.ts'
import type {
  AttemptEvent,
  AttemptRequest,
  Job,
  JobOutcome,
  NodeNotice,
  NodePool,
  NodeResult,
  SchedulableNode,
} from '../../../src/scheduler/scheduler.ts'
import { crashedWorker, job, lostHost, run, SimulatedClock } from './simulation.ts'

/** Uniform in [0, 1), the same for the same seed: mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What an image does to whoever looks at it. */
export type ImageKind = 'good' | 'undecodable' | 'kills-worker' | 'kills-agent'

/** What is wrong with a node. */
export type NodeFault =
  | 'none'
  /** Its link is cut now and then. */
  | 'flapping'
  /** Its agent is killed now and then, by somebody else. */
  | 'dying'
  /** Its workers die of every image. */
  | 'crashing'
  /** It lacks what it needs. */
  | 'unable'
  /** Some of its results are wrong. */
  | 'wrong'

export interface NodePlan {
  name: string
  slots: number
  /** Milliseconds a worker of it takes for an image on average. */
  serviceMs: number
  /** Standard deviation of the logarithm of the service time. */
  spread: number
  fault: NodeFault
  /** Milliseconds; Infinity for never. */
  joinsAt: number
  leavesAt: number
}

export interface WorldPlan {
  seed: number
  nodes: NodePlan[]
  images: ImageKind[]
  /** Share of jobs with a second opinion. */
  audit: number
  /** The source says how much is left. */
  tellsLeft: boolean
}

export interface WorldReport {
  outcomes: JobOutcome[]
  /** With milliseconds of virtual time. */
  events: (AttemptEvent & { at: number })[]
  notices: NodeNotice[]
  /** Faults against the contract, in words. */
  breaches: string[]
  /** Milliseconds of virtual time. */
  milliseconds: number
}

/** A world with faults of all kinds, at least one healthy node, and images of all kinds. */
export function randomWorld(seed: number, size: number): WorldPlan {
  const random = seeded(seed)
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)]!
  const faults = ['none', 'none', 'flapping', 'dying', 'crashing', 'unable', 'wrong'] as const
  const others = Array.from({ length: Math.floor(random() * 6) }, (_, index): NodePlan => {
    const fault = pick(faults)
    const leaves = random() < 0.2
    return {
      name: `other${index}`,
      slots: pick([1, 2, 4, 8, 16]),
      serviceMs: 20 * 20 ** random(),
      spread: random() * 0.8,
      fault,
      joinsAt: random() < 0.3 ? random() * 3000 : 0,
      leavesAt: leaves ? random() * 5000 : Number.POSITIVE_INFINITY,
    }
  })
  const healthy = (name: string): NodePlan => ({
    name,
    slots: pick([1, 2, 4, 8]),
    serviceMs: 20 + random() * 200,
    spread: random() * 0.5,
    fault: 'none',
    joinsAt: 0,
    leavesAt: Number.POSITIVE_INFINITY,
  })
  // A node that gives wrong results is found out by others only: two of them have to be there all the time.
  const someWrong = others.some(({ fault }) => fault === 'wrong')
  const sound = Array.from({ length: someWrong ? 2 : 1 }, (_, i) => `sound${i}`)
  const images = Array.from({ length: 1 + Math.floor(random() * size) }, (): ImageKind => {
    const lot = random()
    return lot < 0.005 && !someWrong ? 'kills-agent' : lot < 0.02 ? 'kills-worker' : lot < 0.05 ? 'undecodable' : 'good'
  })
  const nodes = [...sound.map(healthy), ...others]
  return { seed, nodes, images, audit: someWrong ? 1 : pick([0, 0.005, 0.2]), tellsLeft: random() < 0.5 }
}

/** Runs a world to its end in virtual time. */
export async function simulate(plan: WorldPlan): Promise<WorldReport> {
  const clock = new SimulatedClock()
  const random = seeded(plan.seed + 1)
  const breaches: string[] = []
  const events: WorldReport['events'] = []
  const notices: NodeNotice[] = []
  const over = new AbortController()
  const kinds = new Map(plan.images.map((kind, index) => [`job${index}`, kind]))
  const pool = new WorldPool()
  for (const node of plan.nodes) void live(new WorldNode(node, kinds, clock, random, pool, breaches), over.signal)
  let given = 0
  async function* source(): AsyncGenerator<Job> {
    for (const id of kinds.keys()) {
      given++
      yield job(id)
    }
  }
  const outcomes = await run(source(), pool, clock, {
    random,
    audit: plan.audit,
    pipeline: { detector: { scoreThreshold: 0.5 }, maxPixels: 1 } as never,
    onAttempt: (event) => events.push({ ...event, at: clock.now() }),
    onNotice: (notice) => notices.push(notice),
    ...(plan.tellsLeft ? { left: () => kinds.size - given } : {}),
  })
  over.abort()
  return { outcomes, events, notices, breaches, milliseconds: clock.now() }
}

/** Whether a result is the one that healthy nodes give. */
export const isRight = ({ answer }: NodeResult) => answer.width === 1

async function live(node: WorldNode, signal: AbortSignal): Promise<void> {
  try {
    await node.live(signal)
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

class WorldPool implements NodePool {
  readonly nodes: WorldNode[] = []
  readonly #listeners = new Set<() => void>()

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  changed(): void {
    for (const listener of this.#listeners) listener()
  }
}

/** A node with workers, a queue before them, a link that may be cut and an agent that may die. */
class WorldNode implements SchedulableNode {
  readonly name: string
  slots = 0
  readonly #plan: NodePlan
  readonly #kinds: ReadonlyMap<string, ImageKind>
  readonly #clock: SimulatedClock
  readonly #random: () => number
  readonly #pool: WorldPool
  readonly #breaches: string[]
  /** When each worker is free again. */
  readonly #free: number[]
  readonly #running = new Map<AbortController, string>()
  #left = false

  constructor(
    plan: NodePlan,
    kinds: ReadonlyMap<string, ImageKind>,
    clock: SimulatedClock,
    random: () => number,
    pool: WorldPool,
    breaches: string[],
  ) {
    this.name = plan.name
    this.#plan = plan
    this.#kinds = kinds
    this.#clock = clock
    this.#random = random
    this.#pool = pool
    this.#breaches = breaches
    this.#free = Array.from({ length: Math.max(1, Math.ceil(plan.slots / 2)) }, () => 0)
  }

  /** Joins, suffers and leaves as planned. */
  async live(signal: AbortSignal): Promise<void> {
    const { joinsAt, leavesAt, fault, slots } = this.#plan
    if (joinsAt === 0) this.#join(slots)
    else void this.#at(joinsAt, signal, () => this.#join(slots))
    if (Number.isFinite(leavesAt)) void this.#at(leavesAt, signal, () => this.#leave())
    if (fault !== 'flapping' && fault !== 'dying') return
    for (;;) {
      await this.#clock.sleep(joinsAt + 200 + this.#random() * 3000, signal)
      if (this.slots > 0) await this.#break(fault === 'dying' ? died() : lostHost(), signal)
    }
  }

  async predict(request: AttemptRequest): Promise<NodeResult> {
    const { id } = request.job
    if (this.#running.size >= this.#plan.slots) this.#breaches.push(`${this.name} got more than its slots`)
    if (this.#running.values().some((other) => other === id)) this.#breaches.push(`${id} runs twice on ${this.name}`)
    if (this.slots === 0) throw lostHost()
    const broken = new AbortController()
    this.#running.set(broken, id)
    try {
      const end = this.#takeWorker()
      const signal = AbortSignal.any([broken.signal, request.signal!])
      await this.#clock.sleep(end - this.#clock.now(), signal)
      return this.#answer(request)
    } finally {
      this.#running.delete(broken)
    }
  }

  #answer({ job: { id }, attempt, epoch }: AttemptRequest): NodeResult {
    const kind = this.#kinds.get(id)!
    const { fault } = this.#plan
    if (fault === 'unable') throw new CpnError('CPN_ERR_MODEL_MISSING', 'gone')
    if (fault === 'crashing' || kind === 'kills-worker') throw crashedWorker()
    if (kind === 'undecodable') throw new CpnError('CPN_ERR_IMAGE_DECODE', 'truncated')
    if (kind === 'kills-agent') {
      void this.#break(died()).catch(() => {})
      throw died()
    }
    const width = fault === 'wrong' && this.#random() < 0.3 ? 2 + this.#random() : 1
    return { answer: { job: id, attempt, epoch, width, height: 1, faces: [], parts: [], timings: {} } }
  }

  /** Takes the worker that is free first; when it will be done. */
  #takeWorker(): number {
    const { serviceMs, spread } = this.#plan
    const first = this.#free.indexOf(Math.min(...this.#free))
    const normal = Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random())
    const took = serviceMs * Math.exp(spread * normal - spread ** 2 / 2)
    this.#free[first] = Math.max(this.#clock.now(), this.#free[first]!) + took
    return this.#free[first]
  }

  /** Ends what is in work with `error`; it is back after a while. */
  async #break(error: CpnError, signal?: AbortSignal): Promise<void> {
    this.slots = 0
    for (const broken of this.#running.keys()) broken.abort(error)
    this.#free.fill(0)
    this.#pool.changed()
    await this.#clock.sleep(100 + this.#random() * 2000, signal)
    if (!this.#left) this.slots = this.#plan.slots
    this.#pool.changed()
  }

  async #at(time: number, signal: AbortSignal, what: () => void): Promise<void> {
    await this.#clock.sleep(time, signal).then(what, () => {})
  }

  #join(slots: number): void {
    this.#pool.nodes.push(this)
    this.slots = slots
    this.#pool.changed()
  }

  #leave(): void {
    this.#left = true
    this.slots = 0
    this.#pool.changed()
  }
}

const died = () => new CpnError('CPN_ERR_AGENT_DIED', 'the agent ended', { retryable: true })
