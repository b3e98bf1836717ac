import { isDeepStrictEqual } from 'node:util'
import { unlessAborted } from '../common/deadline.ts'
import { CpnError } from '../common/errors.ts'
import type { Host } from '../inventory/inventory.ts'
import type { NodePool } from '../scheduler/scheduler.ts'
import type { Connector } from '../transport/connector.ts'
import { FleetNode, type NodeOptions } from './node.ts'

/** Where a command's nodes are, and how they are reached. */
export interface Membership {
  hosts: readonly Host[]
  /** Becomes the fleet's. */
  connector: Connector
}

/** The nodes of a command, connected side by side: a host that hangs delays no other. Owns its connectors. */
export class Fleet implements NodePool, AsyncDisposable {
  readonly #options: NodeOptions
  readonly #listeners = new Set<() => void>()
  readonly #closing = new AbortController()
  readonly #lives = new Set<Promise<void>>()
  readonly #connectors: Connector[] = []
  #nodes: FleetNode[] = []

  constructor(first: Membership, options: Omit<NodeOptions, 'onChange' | 'connector'>) {
    const onChange = () => {
      for (const listener of this.#listeners) listener()
    }
    this.#options = { ...options, onChange, connector: () => this.#connectors.at(-1)! }
    this.update(first)
  }

  get nodes(): readonly FleetNode[] {
    return this.#nodes
  }

  /**
   * Lets new hosts join, and those that are gone leave once what they have in work has ended. The others go on: a host
   * is known by its name, whatever its address is now.
   */
  update({ hosts, connector }: Membership): { joined: string[]; left: string[] } {
    this.#connectors.push(connector)
    const known = new Map(this.#nodes.map((node) => [node.name, node]))
    this.#nodes = hosts.map((host) => known.get(host.name) ?? new FleetNode(host, this.#options))
    const joined = this.#nodes.filter(({ name }) => !known.has(name))
    for (const host of hosts)
      if (!isDeepStrictEqual(known.get(host.name)?.host, host)) known.get(host.name)?.moveTo(host)
    const left = [...known.values()].filter((node) => !this.#nodes.includes(node))
    for (const node of joined) this.#keep(node.live(this.#closing.signal))
    for (const node of left) this.#keep(node.retire())
    if (known.size > 0) this.#options.onChange()
    return { joined: joined.map(({ name }) => name), left: left.map(({ name }) => name) }
  }

  /** Awaited when the fleet is closed. */
  #keep(life: Promise<void>): void {
    const kept = life.finally(() => this.#lives.delete(kept))
    this.#lives.add(kept)
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Resolves when every host has answered or failed once; rejects with the signal's reason when it aborts. */
  async settled(signal?: AbortSignal): Promise<void> {
    await unlessAborted(Promise.all(this.nodes.map((node) => node.settled)), signal)
  }

  /**
   * Resolves as soon as one node takes work. Rejects with CPN_ERR_NO_USABLE_HOST, naming each host's reason, when all
   * have failed, and with the signal's reason when it aborts.
   */
  async usable(signal?: AbortSignal): Promise<void> {
    const oneUsable = this.#oneUsable()
    try {
      await unlessAborted(Promise.race([oneUsable.promise, this.settled()]), signal)
    } finally {
      oneUsable.stop()
    }
    if (!this.nodes.some((node) => node.slots > 0)) throw noUsableHost(this.nodes)
  }

  /**
   * Resolves with CPN_ERR_NO_USABLE_HOST when every node refused the login or what its key is for, or has a wrong host key, so that none of them is tried
   * again; never while one may come back.
   */
  async abandoned(): Promise<CpnError> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const check = () => {
      if (this.nodes.every((node) => node.isRefused)) resolve()
    }
    const stop = this.onChange(check)
    check()
    await promise
    stop()
    return noUsableHost(this.nodes)
  }

  /** Disconnects from all nodes; requests in flight reject. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new CpnError('CPN_ERR_CONNECTION_LOST', 'closed by the master'))
    await Promise.all(this.#lives)
    for (const connector of this.#connectors) await connector[Symbol.asyncDispose]()
  }

  #oneUsable(): { promise: Promise<void>; stop: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>()
    const check = () => {
      if (this.nodes.some((node) => node.slots > 0)) resolve()
    }
    const stop = this.onChange(check)
    check()
    return { promise, stop }
  }
}

function noUsableHost(nodes: readonly FleetNode[]): CpnError {
  const reasons = nodes.map(({ name, state, error }) => `${name}: ${error?.message ?? state}`)
  return new CpnError('CPN_ERR_NO_USABLE_HOST', `no host can take work\n${reasons.join('\n')}`, {
    suggestions: nodes.length === 1 ? nodes[0]!.error?.suggestions : ['Look at every host: cpn status'],
    cause: nodes.find((node) => node.error)?.error,
  })
}
