import type { Prompter } from '../common/context.ts'
import type { Logger } from '../common/logger.ts'
import type { Host } from '../inventory/inventory.ts'
import { createLocalOpener } from './local/open.ts'
import { createSshOpener } from './ssh/open.ts'
import type { Transport } from './transport.ts'

export interface ConnectorOptions {
  /** The whole inventory: jumps name its hosts. */
  hosts: Host[]
  /** .cpn/known_hosts. */
  knownHostsFile: string
  prompter: Prompter
  logger: Logger
}

/**
 * Opens transports. What hosts have in common is shared: one connection per jump host, one question per secret, one
 * pace per server. Disposing ends the jump connections; close the transports first.
 */
export interface Connector extends AsyncDisposable {
  /** Connects to a host. Rejects with a CpnError that names it. */
  open(host: Host, signal?: AbortSignal): Promise<Transport>
}

/** What each folder of this one offers: the connector for its own kind of host. */
export type Opener = Connector

/** A new transport is a folder and a line here. */
const openers: Record<Host['transport'], (options: ConnectorOptions) => Opener> = {
  ssh: createSshOpener,
  local: createLocalOpener,
}

export function createConnector(options: ConnectorOptions): Connector {
  const made = new Map<Host['transport'], Opener>()
  const opener = (kind: Host['transport']): Opener => {
    const opener = made.get(kind) ?? openers[kind](options)
    made.set(kind, opener)
    return opener
  }
  return {
    open: (host, signal) => opener(host.transport).open(host, signal),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...made.values()].map((it) => it[Symbol.asyncDispose]()))
    },
  }
}
