import type { Context } from '../../common/context.ts'
import { CpnError, toCpnError } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import { provisionedRelease } from '../../inventory/host-history.ts'
import type { Host, Inventory } from '../../inventory/inventory.ts'
import { selectSomeHosts } from '../../inventory/select.ts'
import { openState, type State } from '../../inventory/state.ts'
import { liteDetector } from '../../models/catalogue/lite-detector.ts'
import { firstVersions, labelOf } from '../../models/pipeline-version.ts'
import { UnreachableModel } from '../../models/pull.ts'
import { type InstalledModel, type ModelStore, openModelStore } from '../../models/store.ts'
import type { ReleasePlatform } from '../../protocol/release.ts'
import { Journal, type Unfinished } from '../../provision/journal.ts'
import { whoWeAre } from '../../provision/lock.ts'
import type { ProvisionEvent } from '../../provision/phase.ts'
import { lookingPhases, provisionPhases } from '../../provision/phases/index.ts'
import { describePlan } from '../../provision/plan.ts'
import { Provisioning, type ProvisioningOptions, type Started } from '../../provision/provisioning.ts'
import { buildRelease, type Release, type ReleaseOptions } from '../../provision/release/build.ts'
import { describeMissing } from '../../provision/requirement-state.ts'
import { requirementsOf } from '../../provision/requirements.ts'
import { type PhaseEnd, runPhases } from '../../provision/run-phases.ts'
import { createConnector } from '../../transport/connector.ts'
import { ownKeyFor } from '../../transport/own-key.ts'
import { ensureModels, withWayOut } from '../models/models.ts'

export interface ProvisionOptions {
  inventory: Inventory
  /** Patterns; none means all. */
  hosts: string[]
  /** Of these only the ones whose last provisioning has not succeeded. */
  onlyFailed?: boolean
  /** sudo may be used on hosts where root is needed. */
  sudo: boolean
  /** Looks and tells what would change; writes nothing on any host. */
  dryRun: boolean
  /** Where releases are built; defaults are right outside tests. */
  release?: ReleaseOptions
  /** How long to wait on a host for another package manager to end; 300 without it. */
  packageLockSeconds?: number
  /** Key file to log in with here, in the place of the inventory's. */
  identityFile?: string
  /** Restricts the inventory's key on each host to the agent's work, or takes that back. */
  keyLock?: 'lock' | 'unlock'
  /** How long the lock on a host is good for without being renewed; 900 without it. */
  leaseSeconds?: number
}

/** What became of one host. */
export interface ProvisionReport {
  changed: boolean
  /** Digest of the release in use; with a dry run the one that would be. */
  release: string
  /** How the agent is kept running; undefined with a dry run. */
  supervisor?: Started['supervisor']
  linger?: boolean | null
  /** What was changed, or what would be, in words. */
  changes: string[]
  /** How long each phase took that had something to do, by its name. */
  seconds: Record<string, number>
  /** The provisioning before did not succeed: where it ended, and what with. */
  resumed?: Unfinished
}

/** Makes nodes of hosts, each on its own: one that fails or hangs delays no other. */
export interface Provisioner extends AsyncDisposable {
  /** The selected hosts, in the inventory's order. */
  readonly hosts: Host[]
  /** Rejects with a CpnError that names the host. */
  provision(host: Host, onEvent: (event: ProvisionEvent) => void): Promise<ProvisionReport>
}

/**
 * Gets ready to provision: selects hosts, and pulls the default detector when there is no model yet (asks). Rejects
 * with CPN_ERR_HOST_UNKNOWN, CPN_ERR_STATE_DIR, CPN_ERR_MODEL_*.
 */
export async function openProvisioner(options: ProvisionOptions, ctx: Context): Promise<Provisioner> {
  const { inventory, dryRun, keyLock } = options
  const selected = selectSomeHosts(inventory, options.hosts)
  if (keyLock === 'lock') for (const host of selected) assertNoJump(host, inventory)
  const state = await openState(inventory.stateDir)
  const hosts = options.onlyFailed ? selected.filter(({ name }) => journalOf(state, name).unfinished()) : selected
  const { prompter, logger } = ctx
  const models = hosts.length > 0 ? await modelsToSend(state, dryRun, ctx) : []
  const connector = createConnector({
    hosts: inventory.hosts,
    knownHostsFile: state.knownHostsFile,
    prompter,
    logger,
  })
  const byName = new Map(hosts.map((host) => [host.name, host]))
  const shared: ProvisioningOptions = {
    fleetId: state.fleetId,
    connect: (host, signal) => connector.open(host, signal),
    keyLock: keyLock && {
      lock: keyLock === 'lock',
      keyOf: (host) => ownKeyFor(byName.get(host.name)!, inventory.hosts),
    },
    release: releaseOnce({ signal: ctx.signal, ...options.release }),
    models,
    sudo: options.sudo,
    packageLockSeconds: options.packageLockSeconds,
    leaseSeconds: options.leaseSeconds,
    prompter,
    logger,
  }
  const { identityFile } = options
  return {
    hosts: identityFile === undefined ? hosts : hosts.map((host) => ({ ...host, identityFile })),
    provision: (host, onEvent) => provisionHost(host, shared, options, state, onEvent, ctx.signal),
    [Symbol.asyncDispose]: () => connector[Symbol.asyncDispose](),
  }
}

/** A locked key forwards nothing, so hosts behind this one would be cut off. */
function assertNoJump(host: Host, { hosts }: Inventory): void {
  const behind = hosts.find(({ jump }) => jump?.split(',').some((hop) => hop.trim() === host.name))
  if (!behind) return
  throw new CpnError(
    'CPN_ERR_USAGE',
    `${behind.name} is reached through ${host.name}, whose key cannot be locked then`,
    {
      host: host.name,
      suggestions: ['Leave this host out, or use another key for the jump.'],
    },
  )
}

// A node without a detector cannot be verified.
async function modelsToSend(state: State, dryRun: boolean, ctx: Context): Promise<InstalledModel[]> {
  const store = openModelStore({ dir: state.modelsDir, logger: ctx.logger })
  const models = await store.list()
  if (models.some(({ manifest }) => manifest.task === 'detect-faces')) return models
  const { name } = firstVersions()[0]!.detector
  if (!dryRun) return [...models, ...(await oneDetector(store, name, ctx))]
  ctx.notice(`The model ${name} would be pulled and sent as well.`)
  return models
}

async function oneDetector(store: ModelStore, name: string, ctx: Context): Promise<InstalledModel[]> {
  try {
    return await ensureModels(store, [name], ctx)
  } catch (error) {
    if (!(error instanceof UnreachableModel))
      throw withWayOut(error, 'cpn models pull persons-lite, then the same command again')
    ctx.notice(
      `${name} cannot be had; nodes get ${liteDetector.name}, which comes with cpn, until they are used with another`,
    )
    return ensureModels(store, [labelOf(liteDetector)], ctx)
  }
}

function releaseOnce(options: ReleaseOptions): (platform: ReleasePlatform) => Promise<Release> {
  const building = new Map<ReleasePlatform, Promise<Release>>()
  return (platform) => building.getOrInsertComputed(platform, () => buildRelease(platform, options))
}

async function provisionHost(
  host: Host,
  shared: ProvisioningOptions,
  { inventory, dryRun, keyLock }: ProvisionOptions,
  state: State,
  onEvent: (event: ProvisionEvent) => void,
  signal: AbortSignal,
): Promise<ProvisionReport> {
  const requirements = await requirementsOf(host, inventory)
  await using provisioning = new Provisioning(host, requirements, shared)
  if (dryRun) return reportOf(provisioning, true, await runPhases(lookingPhases, provisioning, onEvent, signal))
  const { logger } = shared
  const journal = journalOf(state, host.name)
  const resumed = journal.unfinished()
  journal.begin()
  const noted = (event: ProvisionEvent) => {
    if (event.state === 'start') journal.phase(event.phase)
    if (event.seconds !== undefined) logPhase(logger, event)
    onEvent(event)
  }
  try {
    const ends = await runPhases(provisionPhases, provisioning, noted, signal)
    const report = { ...reportOf(provisioning, false, ends), ...(resumed ? { resumed } : {}) }
    await remember(state, host.name, provisioning.before, report)
    if (keyLock && ends.get('lock-key')?.outcome === 'changed') {
      await state.recordHostEvent(host.name, { event: `key-${keyLock}ed` })
    }
    journal.done()
    const { changed, release } = report
    logger.info({ event: 'provisioned', host: host.name, changed, release }, 'host provisioned')
    return report
  } catch (error) {
    const { code } = toCpnError(error)
    journal.failed(code)
    const { phase } = journal.unfinished() ?? {}
    logger.error({ event: 'provision-failed', host: host.name, phase, code }, 'provisioning failed')
    await state.recordHostEvent(host.name, { event: 'provision-failed', by: whoWeAre(), code, phase })
    throw error
  }
}

function logPhase(logger: Logger, { host, phase, outcome, seconds }: ProvisionEvent): void {
  logger.info({ event: 'phase-done', host, phase, outcome, seconds: Math.round(seconds! * 1000) / 1000 }, 'phase done')
}

const journalOf = (state: State, name: string) => new Journal(state.journalFile(name))

function reportOf(provisioning: Provisioning, dryRun: boolean, ends: Map<string, PhaseEnd>): ProvisionReport {
  const { plan, missing, release, started } = provisioning
  const changes = [...describeMissing(missing), ...describePlan(plan, release)]
  const wasWritten = [...ends].some(([name, { outcome }]) => outcome === 'changed' && name !== 'lock')
  const changed = dryRun ? changes.length > 0 : wasWritten
  return {
    changed,
    release: release.digest,
    ...(started ? { supervisor: started.supervisor, linger: started.linger } : {}),
    changes: changed ? changes : [],
    seconds: Object.fromEntries(
      [...ends].flatMap(([name, { seconds }]) => (seconds === undefined ? [] : [[name, seconds]])),
    ),
  }
}

async function remember(state: State, name: string, from: string, report: ProvisionReport): Promise<void> {
  const { release, supervisor, changed } = report
  if (!changed && provisionedRelease(await state.hostHistory(name)) === release) return
  await state.recordHostEvent(name, { event: 'provisioned', by: whoWeAre(), from, release, supervisor })
}
