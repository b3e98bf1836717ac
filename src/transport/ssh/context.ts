import type { Prompter } from '../../common/context.ts'
import { CpnError } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import type { Host } from '../../inventory/inventory.ts'
import type { SshConnection } from './connection.ts'
import { jumpError } from './errors.ts'
import { readHostKeyPolicy } from './host-key-policy.ts'
import { openKeyring } from './keyring.ts'
import { login } from './login.ts'
import { Pace } from './pace.ts'
import { SshConfigs } from './ssh-configs.ts'
import type { PatientPrompter } from './stopwatch.ts'
import { placeOf, type Target } from './target.ts'

export interface SshOptions {
  hosts: Host[]
  /** .cpn/known_hosts. */
  knownHostsFile: string
  prompter: Prompter
  logger: Logger
}

/** What all SSH connections of one connector share: pace, jump hosts, and logins that were refused. */
export class SshContext implements AsyncDisposable {
  readonly hosts: Map<string, Host>
  readonly knownHostsFile: string
  readonly prompter: Prompter
  readonly logger: Logger
  readonly pace = new Pace()
  readonly configs = new SshConfigs()
  readonly #hops = new Map<string, Promise<SshConnection>>()
  readonly #refused = new Map<string, CpnError>()
  readonly #ended = new AbortController()

  constructor(options: SshOptions) {
    this.hosts = new Map(options.hosts.map((host) => [host.name, host]))
    this.knownHostsFile = options.knownHostsFile
    this.prompter = options.prompter
    this.logger = options.logger
  }

  /** The connection that leads to the target's server; undefined when the way is direct. */
  async wayTo(target: Target, signal?: AbortSignal): Promise<SshConnection | undefined> {
    let via: SshConnection | undefined
    let way = ''
    for (const hop of target.jumps) {
      way = `${way} ${endpointOf(hop)}`
      via = await this.#hop(way, hop, via, target.name, signal)
    }
    return via
  }

  /** Logs in to a target, its key verified. A login that was refused once is not tried again. */
  async logIn(target: Target, via: SshConnection | undefined, host: string, signal?: AbortSignal): Promise<Login> {
    const endpoint = [...target.jumps, target].map(endpointOf).join(' ')
    const refused = this.#refused.get(endpoint)
    if (refused) throw refused
    const { verify, algorithms } = await readHostKeyPolicy(target, this.knownHostsFile)
    let hostKey = Buffer.alloc(0)
    const verifyHostKey = (key: Buffer): true | CpnError => {
      hostKey = Buffer.from(key)
      return verify(key)
    }
    const { pace, prompter } = this
    const keyring = (patient: PatientPrompter): ReturnType<typeof openKeyring> => openKeyring(target, patient)
    const options = {
      target,
      via,
      host,
      pace,
      prompter,
      verifyHostKey,
      hostKeyAlgorithms: algorithms,
      openKeyring: keyring,
      signal,
    }
    try {
      return { connection: await login(options), hostKey }
    } catch (error) {
      if (error instanceof CpnError && error.code === 'CPN_ERR_AUTH_FAILED') this.#refused.set(endpoint, error)
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new CpnError('CPN_ERR_INTERRUPTED', 'the connection is not wanted any more'))
    const hops = await Promise.allSettled(this.#hops.values())
    this.#hops.clear()
    // Inner hops first: they live in the outer ones.
    for (const hop of hops.reverse()) if (hop.status === 'fulfilled') await hop.value.close()
  }

  async #hop(
    way: string,
    hop: Target,
    via: SshConnection | undefined,
    host: string,
    signal?: AbortSignal,
  ): Promise<SshConnection> {
    const open = this.#hops.get(way) ?? this.#openHop(way, hop, via)
    try {
      return await untilAborted(open, signal)
    } catch (error) {
      throw signal?.aborted ? error : jumpError(error, placeOf(hop), host)
    }
  }

  /** One connection for all who come this way; it outlives the signal of whoever came first. */
  #openHop(way: string, hop: Target, via: SshConnection | undefined): Promise<SshConnection> {
    const opening = this.logIn(hop, via, hop.name, this.#ended.signal).then(({ connection }) => connection)
    const forget = (): void => void this.#hops.delete(way)
    this.#hops.set(way, opening)
    opening.then((connection) => {
      if (connection.lost.aborted) forget()
      else connection.lost.addEventListener('abort', forget, { once: true })
    }, forget)
    return opening
  }
}

export interface Login {
  connection: SshConnection
  /** The verified key in SSH's wire format. */
  hostKey: Buffer
}

function endpointOf({ user, hostname, port }: Target): string {
  return `${user}@${hostname}:${port}`
}

function untilAborted<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return work
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(signal.reason)
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', onAbort))
}
