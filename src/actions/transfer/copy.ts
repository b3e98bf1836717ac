import type { Context } from '../../common/context.ts'
import { collectGarbageLessOften } from '../../common/heap.ts'
import type { Host, Inventory } from '../../inventory/inventory.ts'
import { selectSomeHosts } from '../../inventory/select.ts'
import { openState } from '../../inventory/state.ts'
import { createConnector } from '../../transport/connector.ts'
import type { Transferred } from '../../transport/transfer/entries.ts'
import { findLocal } from '../../transport/transfer/find-local.ts'
import { sendFiles } from '../../transport/transfer/send.ts'
import { parseRemotePath } from './remote-path.ts'

export interface TransferReport extends Transferred {
  seconds: number
}

/** Called with the bytes that arrived so far and with those of the whole transfer to a host. */
export type OnProgress = (bytes: number, total: number) => void

/** Copies files to hosts. */
export interface Copier extends AsyncDisposable {
  readonly hosts: Host[]
  /** What is not copied to any host, and why: a line each. */
  readonly skipped: string[]
  copy(host: Host, onProgress: OnProgress): Promise<TransferReport>
}

export interface CopyOptions {
  inventory: Inventory
  files: string[]
  /** PATTERN:PATH */
  target: string
}

/** Rejects with CPN_ERR_USAGE, CPN_ERR_INPUT_MISSING, CPN_ERR_HOST_UNKNOWN. */
export async function openCopier({ inventory, files, target }: CopyOptions, ctx: Context): Promise<Copier> {
  collectGarbageLessOften(200)
  const { pattern, path } = parseRemotePath(target)
  const hosts = selectSomeHosts(inventory, [pattern])
  const { entries, skipped } = await findLocal(files, ctx.signal)
  const { knownHostsFile } = await openState(inventory.stateDir)
  const { prompter, logger, signal } = ctx
  const connector = createConnector({ hosts: inventory.hosts, knownHostsFile, prompter, logger })
  return {
    hosts,
    skipped,
    copy: async (host, onProgress) => {
      const begin = performance.now()
      await using transport = await connector.open(host, signal)
      const done = await sendFiles(transport, entries, path, { signal, onProgress })
      return { ...done, seconds: (performance.now() - begin) / 1000 }
    },
    [Symbol.asyncDispose]: () => connector[Symbol.asyncDispose](),
  }
}
