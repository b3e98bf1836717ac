import type { Prompter } from '../common/context.ts'
import { CpnError } from '../common/errors.ts'
import type { Logger } from '../common/logger.ts'
import type { Host } from '../inventory/inventory.ts'
import type { InstalledModel } from '../models/store.ts'
import type { ReleasePlatform } from '../protocol/release.ts'
import type { OwnKey } from '../transport/own-key.ts'
import { quote } from '../transport/shell.ts'
import type { ExecOptions, ExecResult, Transport } from '../transport/transport.ts'
import type { HostFacts } from './facts.ts'
import type { Holdings } from './holdings.ts'
import type { Lease } from './lease.ts'
import { lockedExit, lockLost, onlyWithLock } from './lock.ts'
import type { Plan } from './plan.ts'
import type { Release } from './release/build.ts'
import type { RequirementState } from './requirement-state.ts'
import type { HostRequirements } from './requirements.ts'

/** What is the same for all hosts of one command. */
export interface ProvisioningOptions {
  fleetId: string
  /** Opens a new connection to a host. */
  connect(host: Host, signal: AbortSignal): Promise<Transport>
  /** The release for a platform; built once for all hosts. */
  release(platform: ReleasePlatform): Promise<Release>
  models: InstalledModel[]
  /** sudo may be used, and its password asked for. */
  sudo: boolean
  /** How long apt and dpkg wait on a host for another package manager to end; 300 without it. */
  packageLockSeconds?: number | undefined
  /** Locks the key that other commands log in with, or takes the lock off. */
  keyLock?: { lock: boolean; keyOf(host: Host): Promise<OwnKey> } | undefined
  /** How long the lock on a host is good for without being renewed; 900 without it. */
  leaseSeconds?: number | undefined
  prompter: Prompter
  logger: Logger
}

/** How the agent is kept running, as `cpn-agent start` says. */
export interface Started {
  supervisor: 'systemd-user' | 'keeper' | 'none'
  /** systemd-user only: the agent outlives the last login; null where it does not apply. */
  linger: boolean | null
  alreadyRunning: boolean
}

/** One host on its way to a node: what the phases know of it so far. Owns its connection. */
export class Provisioning implements AsyncDisposable {
  readonly host: Host
  readonly requirements: HostRequirements
  readonly options: ProvisioningOptions
  /** Tells how far an upload is. */
  progress: (bytes: number, totalBytes: number) => void = () => {}
  /** The lock on remoteDir while we hold it; whoever runs the phases gives it back. */
  lock: Lease | undefined
  started: Started | undefined
  /** Nothing was written and the agent answers as it should: there is nothing to verify. */
  isWorking = false
  /** Release that was in use before `switch`; '' on a bare host, undefined when nothing was switched. */
  replaced: string | undefined
  #transport: Transport | undefined
  #facts: HostFacts | undefined
  #release: Release | undefined
  #holdings: Holdings | undefined
  #plan: Plan | undefined
  #missing: RequirementState | undefined

  constructor(host: Host, requirements: HostRequirements, options: ProvisioningOptions) {
    this.host = host
    this.requirements = requirements
    this.options = options
  }

  get transport(): Transport {
    return known(this.#transport, 'connect')
  }
  set transport(transport: Transport) {
    this.#transport = transport
  }

  get facts(): HostFacts {
    return known(this.#facts, 'gather-facts')
  }
  set facts(facts: HostFacts) {
    this.#facts = facts
  }

  get release(): Release {
    return known(this.#release, 'check')
  }
  set release(release: Release) {
    this.#release = release
  }

  get holdings(): Holdings {
    return known(this.#holdings, 'gather-facts')
  }
  set holdings(holdings: Holdings) {
    this.#holdings = holdings
  }

  get plan(): Plan {
    return known(this.#plan, 'compare')
  }
  set plan(plan: Plan) {
    this.#plan = plan
  }

  /** What is missing of the requirements. */
  get missing(): RequirementState {
    return known(this.#missing, 'gather-facts')
  }
  set missing(missing: RequirementState) {
    this.#missing = missing
  }

  /** Absolute path on the host of something below remoteDir. */
  path(relative: string): string {
    return `${this.facts.dir}/${relative}`
  }

  /** The same for a shell. */
  quoted(relative: string): string {
    return quote(this.path(relative))
  }

  /** Digest of the release in use before anything was switched; '' without one. */
  get before(): string {
    if (this.replaced !== undefined) return this.replaced
    return this.#holdings?.fleets.get(this.options.fleetId)?.current ?? ''
  }

  /** The same script, which does nothing where it could only harm: when the lock that we had went to somebody else. */
  fenced(script: string): string {
    return this.lock ? `${onlyWithLock(this.facts.dir, this.lock.token)}${script}` : script
  }

  /** Runs a script that has to succeed; `failure` says in words what did not work. */
  async run(script: string, failure: string, options: ExecOptions): Promise<ExecResult> {
    const result = await this.transport.exec(this.fenced(script), options)
    if (result.exitCode === 0) return result
    if (this.lock && result.exitCode === lockedExit) throw lockLost(this.host.name, result.stdout.trim())
    const said = result.stderr.trim() || result.stdout.trim() || `exit code ${result.exitCode ?? result.signal}`
    throw new CpnError('CPN_ERR_PROVISION_FAILED', `${failure}: ${said}`, {
      host: this.host.name,
      suggestions: [`Log in to ${this.host.name} and see what keeps it from that, then provision again.`],
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport?.close()
  }
}

function known<T>(value: T | undefined, phase: string): T {
  if (value === undefined) throw new CpnError('CPN_ERR_BUG', `the phase ${phase} has not run yet`)
  return value
}
