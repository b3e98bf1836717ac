import { randomUUID } from 'node:crypto'
import type { Context } from '../../common/context.ts'
import { withDeadline } from '../../common/deadline.ts'
import { CpnError, toCpnError } from '../../common/errors.ts'
import type { Host, Inventory } from '../../inventory/inventory.ts'
import { selectSomeHosts } from '../../inventory/select.ts'
import { openState } from '../../inventory/state.ts'
import { openModelStore } from '../../models/store.ts'
import { parseFacts } from '../../provision/facts.ts'
import { factsScript } from '../../provision/facts-script.ts'
import { hostLocked, type LockOwner, lockedExit, lockOwner } from '../../provision/lock.ts'
import { parsePruned, pruneScript, type Unneeded } from '../../provision/prune-script.ts'
import { type Connector, createConnector } from '../../transport/connector.ts'
import type { Prunable } from './prune.ts'

export interface NodeFailure {
  name: string
  error: CpnError
}

/** What can go on the hosts, and those that could not be asked. Disposing of it disconnects. */
export interface PrunableNodes extends AsyncDisposable {
  prunables: Prunable[]
  failures: NodeFailure[]
}

const scriptMs = 300_000

/** @param days age from which models and logs go */
export async function prunableOnNodes(
  { inventory, hosts: patterns }: { inventory: Inventory; hosts: string[] },
  days: number,
  ctx: Context,
): Promise<PrunableNodes> {
  const hosts = selectSomeHosts(inventory, patterns)
  const { modelsDir, knownHostsFile, fleetId } = await openState(inventory.stateDir)
  const { prompter, logger } = ctx
  const connector = createConnector({ hosts: inventory.hosts, knownHostsFile, prompter, logger })
  const models = (await openModelStore({ dir: modelsDir, logger }).list()).map(({ manifest }) => manifest.sha256)
  const failures: NodeFailure[] = []
  const asked = hosts.map(async (host): Promise<Prunable[]> => {
    try {
      const look = (owner?: LockOwner) => prune(connector, host, { models, days, owner }, ctx.signal)
      const found = await look()
      if (found.length === 0) return []
      const remove = async () => bytesOf(await look(lockOwner(randomUUID(), fleetId)))
      return [{ host: host.name, what: describe(found), bytes: bytesOf(found), remove }]
    } catch (error) {
      failures.push({ name: host.name, error: toCpnError(error) })
      return []
    }
  })
  return {
    prunables: (await Promise.all(asked)).flat(),
    failures,
    [Symbol.asyncDispose]: () => connector[Symbol.asyncDispose](),
  }
}

async function prune(
  connector: Connector,
  host: Host,
  options: { models: string[]; days: number; owner: LockOwner | undefined },
  signal: AbortSignal,
): Promise<Unneeded[]> {
  await using transport = await connector.open(host, signal)
  const { stdout } = await transport.exec(factsScript(host.remoteDir, false), { signal })
  const facts = parseFacts(stdout)
  if (!facts) throw failed(host.name, 'the host does not run a POSIX shell script')
  const { owner, ...rest } = options
  const script = pruneScript({ dir: facts.dir, ...rest, ...(owner ? { owner } : {}) })
  const result = await withDeadline(
    scriptMs,
    () => failed(host.name, `it took longer than ${scriptMs / 1000} seconds`),
    (inner) => transport.exec(script, { signal: inner, timeoutMs: scriptMs }),
    signal,
  )
  if (result.exitCode === lockedExit) throw hostLocked(host.name, result.stdout.trim())
  if (result.exitCode === 0) return parsePruned(result.stdout)
  throw failed(host.name, result.stderr.trim() || `exit code ${result.exitCode ?? result.signal}`)
}

function failed(host: string, reason: string): CpnError {
  return new CpnError('CPN_ERR_REMOTE_COMMAND', `what is old could not be found or removed: ${reason}`, {
    host,
    suggestions: ['Run it again.', `Look at the host: cpn status ${host}`],
  })
}

const bytesOf = (found: Unneeded[]) => found.reduce((sum, { bytes }) => sum + bytes, 0)

function describe(found: Unneeded[]): string {
  const kinds = Map.groupBy(found, ({ path }) => path.split('/')[0])
  const words = { releases: 'release', blobs: 'loose blob', models: 'model file', fleets: 'log' }
  return Object.entries(words)
    .filter(([folder]) => kinds.has(folder))
    .map(([folder, kind]) => counted(kinds.get(folder)!.length, kind))
    .join(', ')
}

const counted = (count: number, kind: string) => `${count} ${kind}${count === 1 ? '' : 's'}`
