import { join } from 'node:path'
import type { Context } from '../../common/context.ts'
import { collectGarbageLessOften } from '../../common/heap.ts'
import type { Host, Inventory } from '../../inventory/inventory.ts'
import { selectSomeHosts } from '../../inventory/select.ts'
import { openState } from '../../inventory/state.ts'
import { createConnector } from '../../transport/connector.ts'
import { fetchFiles } from '../../transport/transfer/fetch.ts'
import type { OnProgress, TransferReport } from './copy.ts'
import { parseRemotePath } from './remote-path.ts'

/** Fetches files from hosts; those of each host go under its name. */
export interface Fetcher extends AsyncDisposable {
  readonly hosts: Host[]
  /** What a host leaves out, a link that goes round in a circle say, is a notice. */
  fetch(host: Host, onProgress: OnProgress): Promise<TransferReport>
}

export interface FetchOptions {
  inventory: Inventory
  /** PATTERN:PATH */
  source: string
  folder: string
}

/** Rejects with CPN_ERR_USAGE, CPN_ERR_HOST_UNKNOWN. */
export async function openFetcher({ inventory, source, folder }: FetchOptions, ctx: Context): Promise<Fetcher> {
  collectGarbageLessOften(200)
  const { pattern, path } = parseRemotePath(source)
  const hosts = selectSomeHosts(inventory, [pattern])
  const { knownHostsFile } = await openState(inventory.stateDir)
  const { prompter, logger, signal, notice } = ctx
  const connector = createConnector({ hosts: inventory.hosts, knownHostsFile, prompter, logger })
  return {
    hosts,
    fetch: async (host, onProgress) => {
      const begin = performance.now()
      await using transport = await connector.open(host, signal)
      const { skipped, ...done } = await fetchFiles(transport, path, join(folder, host.name), { signal, onProgress })
      for (const line of skipped) notice(`${host.name}: not fetched: ${line}`)
      return { ...done, seconds: (performance.now() - begin) / 1000 }
    },
    [Symbol.asyncDispose]: () => connector[Symbol.asyncDispose](),
  }
}
