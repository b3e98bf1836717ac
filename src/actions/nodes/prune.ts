import type { Context } from '../../common/context.ts'
import { CpnError, toCpnError } from '../../common/errors.ts'
import { formatBytes } from '../../common/format.ts'
import type { Inventory } from '../../inventory/inventory.ts'
import { prunableHere } from './prune-here.ts'
import { type NodeFailure, prunableOnNodes } from './prune-nodes.ts'

export interface PruneOptions {
  inventory: Inventory
  /** Patterns of hosts; empty means all. */
  hosts: string[]
  /** Days after which runs, models and logs are old. */
  days: number
  /** Only says what could go. */
  dryRun: boolean
}

/** Something that nothing uses any more. */
export interface Prunable {
  /** Null for this machine. */
  host: string | null
  what: string
  /** About what it takes. */
  bytes: number
  /** Resolves with the bytes that are free now. */
  remove(): Promise<number>
}

export interface PruneReport {
  items: { host: string | null; what: string; bytes: number }[]
  /** Freed, or to be freed. */
  bytes: number
  removed: boolean
  /** Hosts on which something could not be found out or removed. */
  failures: NodeFailure[]
}

const dayMs = 86_400_000

/**
 * Removes what is old and not in use, here and on the hosts, after asking once. Rejects with CPN_ERR_DECLINED when the
 * person says no, CPN_ERR_NEEDS_TERMINAL when nobody can be asked.
 * @param onFound told of each thing before it is asked
 */
export async function prune(
  { inventory, hosts, days, dryRun }: PruneOptions,
  ctx: Context,
  onFound: (item: Prunable) => void,
): Promise<PruneReport> {
  await using nodes = await prunableOnNodes({ inventory, hosts }, days, ctx)
  const found = [...(await prunableHere(inventory, Date.now() - days * dayMs)), ...nodes.prunables]
  for (const item of found) onFound(item)
  const failures = [...nodes.failures]
  const items = found.map(({ host, what, bytes }) => ({ host, what, bytes }))
  const all = items.reduce((sum, { bytes }) => sum + bytes, 0)
  if (dryRun || found.length === 0) return { items, bytes: all, removed: false, failures }
  await confirm(found.length, all, ctx)
  let bytes = 0
  for (const { host, remove } of found) {
    ctx.signal.throwIfAborted()
    bytes += await remove().catch((error) => {
      if (host === null) throw error
      failures.push({ name: host, error: toCpnError(error) })
      return 0
    })
  }
  return { items, bytes, removed: true, failures }
}

async function confirm(count: number, bytes: number, { prompter }: Context): Promise<void> {
  const what = count === 1 ? 'it' : `all ${count}`
  if (await prompter.confirm(`Remove ${what}, about ${formatBytes(bytes)}?`)) return
  throw new CpnError('CPN_ERR_DECLINED', 'nothing was removed')
}
