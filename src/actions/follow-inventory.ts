import { stat } from 'node:fs/promises'
import { systemClock } from '../common/clock.ts'
import type { Context } from '../common/context.ts'
import { CpnError, toCpnError } from '../common/errors.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { Inventory } from '../inventory/inventory.ts'
import { loadInventory } from '../inventory/load.ts'
import { selectPresentHosts } from '../inventory/select.ts'
import type { State } from '../inventory/state.ts'
import { connectorOf } from './open-fleet.ts'

export interface FollowOptions {
  inventory: Inventory
  state: State
  /** Patterns; empty means all. */
  hosts: string[]
}

/** Between two looks. Looking costs a few system calls, works on every file system, and misses nothing. */
const lookMs = 500

/**
 * Keeps a fleet what the inventory says while a command goes on: hosts that were added join, those that were removed
 * leave, an address that changed counts from the next connection on. What other commands note about a host (it was
 * provisioned, started, its key accepted) makes it be tried again at once. Disposing ends it.
 */
export function followInventory(fleet: Fleet, options: FollowOptions, ctx: Context): AsyncDisposable {
  const ended = new AbortController()
  const following = follow(new Follower(fleet, options, ctx), ended.signal)
  return {
    [Symbol.asyncDispose]: async () => {
      ended.abort()
      await following
    },
  }
}

async function follow(follower: Follower, signal: AbortSignal): Promise<void> {
  await follower.begin()
  while (!signal.aborted) {
    await systemClock.sleep(lookMs, signal).catch(() => {})
    if (!signal.aborted) await follower.look()
  }
}

class Follower {
  readonly #fleet: Fleet
  readonly #options: FollowOptions
  readonly #ctx: Context
  /** What each file looked like, by its path. */
  readonly #seen = new Map<string, string>()
  /** The inventory was changed, and may be half written. */
  #isChanging = false

  constructor(fleet: Fleet, options: FollowOptions, ctx: Context) {
    this.#fleet = fleet
    this.#options = options
    this.#ctx = ctx
  }

  async begin(): Promise<void> {
    const { inventory, state } = this.#options
    const notes = this.#fleet.nodes.map(({ name }) => state.hostHistoryFile(name))
    for (const file of [inventory.file, state.knownHostsFile, ...notes]) if (file) await this.#hasChanged(file)
  }

  async look(): Promise<void> {
    const { inventory, state } = this.#options
    const keys = await this.#hasChanged(state.knownHostsFile)
    for (const node of this.#fleet.nodes) {
      const isNoted = await this.#hasChanged(state.hostHistoryFile(node.name))
      if (node.slots === 0 && (isNoted || (keys && node.isRefused))) node.tryAgain()
    }
    if (!inventory.file) return
    const isWritten = await this.#hasChanged(inventory.file)
    // An editor may write in pieces: what stayed as it is for a moment is whole.
    if (this.#isChanging && !isWritten) await this.#update(inventory.file)
    this.#isChanging = isWritten
  }

  async #update(file: string): Promise<void> {
    const { state, hosts: patterns } = this.#options
    try {
      const inventory = await loadInventory(file)
      const hosts = selectPresentHosts(inventory, patterns)
      if (hosts.length === 0) throw new CpnError('CPN_ERR_HOST_UNKNOWN', 'it leaves no host for this run')
      const { joined, left } = this.#fleet.update({ hosts, connector: connectorOf(inventory, state, this.#ctx) })
      for (const name of joined)
        this.#ctx.notice(`${name} is new in the inventory: it takes part once it is provisioned`)
      for (const name of left) this.#ctx.notice(`${name} has left the inventory: it ends what it has in work`)
    } catch (error) {
      this.#ignore(toCpnError(error).message)
    }
  }

  #ignore(reason: string): void {
    this.#ctx.notice(`the inventory was changed, but cannot be used: the run goes on with what it was\n${reason}`)
  }

  async #hasChanged(file: string): Promise<boolean> {
    const now = await stat(file, { bigint: true }).then(
      ({ ino, size, mtimeNs }) => `${ino} ${size} ${mtimeNs}`,
      () => 'none',
    )
    const before = this.#seen.get(file)
    this.#seen.set(file, now)
    return before !== now
  }
}
