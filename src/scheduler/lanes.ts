import type { Clock } from '../common/clock.ts'
import { Lane } from './lane.ts'
import type { Candidate } from './placement.ts'
import type { NodePool, SchedulableNode } from './scheduler.ts'

/** A usable node with what the run knows of it. */
export interface NodeCandidate extends Candidate {
  node: SchedulableNode
  lane: Lane
}

export interface LanesOptions {
  pool: NodePool
  clock: Clock
  /** Ends all pauses without a call back. */
  closed: AbortSignal
  /** Called when a pause is over. */
  onChange: () => void
}

/** One lane per node that ever was; which of them may get something now. */
export class Lanes {
  readonly #options: LanesOptions
  readonly #lanes = new Map<string, Lane>()

  constructor(options: LanesOptions) {
    this.#options = options
  }

  get(name: string): Lane {
    const known = this.#lanes.get(name)
    if (known) return known
    const lane = new Lane(name)
    this.#lanes.set(name, lane)
    return lane
  }

  all(): Iterable<Lane> {
    return this.#lanes.values()
  }

  slotsOf(name: string): number {
    return this.#options.pool.nodes.find((node) => node.name === name)?.slots ?? 0
  }

  /** Slots of all nodes together. */
  get slots(): number {
    return this.#options.pool.nodes.reduce((sum, node) => sum + node.slots, 0)
  }

  /** Names of the nodes that take work. */
  usable(): string[] {
    return this.#options.pool.nodes.filter(({ slots }) => slots > 0).map(({ name }) => name)
  }

  /** Whether some node outside `except` takes no work now, but was given some before, whatever came of it. */
  someAway(except: ReadonlySet<string>): boolean {
    const { nodes } = this.#options.pool
    return nodes.some(({ name, slots }) => slots === 0 && !except.has(name) && this.get(name).starts > 0)
  }

  /** The nodes that take work, full and pausing ones too. Those set aside work when there are no others. */
  candidates(): NodeCandidate[] {
    const usable = this.#options.pool.nodes.filter(({ slots }) => slots > 0)
    const allAside = usable.every(({ name }) => this.get(name).asides > 0)
    return usable.map((node) => {
      const lane = this.get(node.name)
      const able = lane.pauses === 0 && (lane.asides === 0 || allAside)
      return { ...lane.candidate(node.slots, able), node, lane }
    })
  }

  /** Gives a node nothing for a while; the jobs do not pause, another node may take them at once. */
  pause(lane: Lane, milliseconds: number): void {
    lane.pauses++
    this.#after(milliseconds, () => lane.pauses--)
  }

  /** Gives a node nothing for a while, as long as another one works. */
  setAside(lane: Lane, milliseconds: number): void {
    lane.asides++
    this.#after(milliseconds, () => lane.asides--)
  }

  /** The timer says when a pause is over, not the clock: timers fire a little early. */
  #after(milliseconds: number, end: () => void): void {
    const { clock, closed, onChange } = this.#options
    clock.sleep(milliseconds, closed).then(
      () => {
        end()
        onChange()
      },
      () => {},
    )
  }
}
