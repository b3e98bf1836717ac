import { unlessAborted } from '../common/deadline.ts'
import { CpnError } from '../common/errors.ts'
import type { Host } from '../inventory/inventory.ts'
import type { NodePool } from '../scheduler/scheduler.ts'
import { FleetNode, type NodeOptions } from './node.ts'

/** The nodes of a command, connected side by side: a host that hangs delays no other. Owns its connector. */
export class Fleet implements NodePool, AsyncDisposable {
  readonly nodes: readonly FleetNode[]
  readonly #listeners = new Set<() => void>()
  readonly #closing = new AbortController()
  readonly #lives: Promise<void>[]
  readonly #connector: AsyncDisposable

  constructor(hosts: readonly Host[], options: Omit<NodeOptions, 'onChange'>) {
    const onChange = () => {
      for (const listener of this.#listeners) listener()
    }
    this.#connector = options.connector
    this.nodes = hosts.map((host) => new FleetNode(host, { ...options, onChange }))
    this.#lives = this.nodes.map((node) => node.live(this.#closing.signal))
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
   * Resolves with CPN_ERR_NO_USABLE_HOST when no node will ever be tried again, because every login or host key was
   * refused; never while one may come back.
   */
  async abandoned(): Promise<CpnError> {
    await Promise.all(this.#lives)
    return noUsableHost(this.nodes)
  }

  /** Disconnects from all nodes; requests in flight reject. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new CpnError('CPN_ERR_CONNECTION_LOST', 'closed by the master'))
    await Promise.all(this.#lives)
    await this.#connector[Symbol.asyncDispose]()
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
