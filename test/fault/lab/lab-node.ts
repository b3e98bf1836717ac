import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Heartbeat, heartbeatSchema } from '../../../src/protocol/messages.ts'
import { askSocket } from '../../helpers/ask-socket.ts'
import { signalProcess, type TestProcess } from '../../helpers/processes.ts'
import { type FaultProxy, startProxy } from '../../helpers/proxy.ts'
import { type SshdHost, type SshdOptions, startSshd } from '../../helpers/sshd.ts'
import { until } from '../../helpers/until.ts'
import { mountDisk } from './small-disk.ts'

/** Settings of a node in the inventory. */
export interface NodeSettings {
  workers?: number
  remoteDir?: string
}

export interface LabNodeOptions {
  host: SshdOptions
  settings?: NodeSettings
  /** Gives everything of cpn on the host a disk of this size; 0: it has none of its own. */
  diskMegabytes?: number
}

/** A real host with a real agent, reached through a proxy of ours. */
export class LabNode implements AsyncDisposable {
  readonly host: SshdHost
  readonly proxy: FaultProxy
  readonly settings: NodeSettings
  /** Folder that is the disk of its own, if it has one. */
  readonly disk: string | undefined
  readonly #owned = new AsyncDisposableStack()

  constructor(host: SshdHost, proxy: FaultProxy, { settings = {}, diskMegabytes = 0 }: LabNodeOptions) {
    this.host = this.#owned.use(host)
    this.proxy = this.#owned.use(proxy)
    this.disk = diskMegabytes > 0 ? join(host.home, 'disk') : undefined
    this.settings = this.disk ? { ...settings, remoteDir: join(this.disk, 'cpn') } : settings
    if (this.disk) this.#owned.use(mountDisk(this.disk, diskMegabytes, host.uid))
  }

  static async start(options: LabNodeOptions): Promise<LabNode> {
    const host = await startSshd({ held: !options.diskMegabytes, ...options.host })
    return new LabNode(host, await startProxy(host), options)
  }

  get name(): string {
    return this.host.name
  }

  /** Its line of the inventory, by way of the proxy. */
  inventoryLine(): string {
    const { user, identityFile } = this.host
    const { address, port } = this.proxy
    return `  ${this.name}: ${JSON.stringify({ address, port, user, identityFile, ...this.settings })}`
  }

  /** The fleet's folder on the host; the node has to be provisioned. */
  get fleetDir(): string {
    const fleets = join(this.settings.remoteDir ?? join(this.host.home, '.cpn'), 'fleets')
    return join(fleets, readdirSync(fleets)[0]!)
  }

  get socket(): string {
    return join(this.fleetDir, 'run', 'agent.sock')
  }

  /** The agent itself, without its keeper and its workers. */
  agents(): TestProcess[] {
    return this.#running(/\bagent\.mjs .*\brun\b/)
  }

  keepers(): TestProcess[] {
    return this.#running(/\bagent\.mjs .*\bkeeper\b/)
  }

  workers(): TestProcess[] {
    return this.#running(/\bworker\.mjs\b/)
  }

  /** Sends a signal to each of them; those that have gone meanwhile are fine. */
  signal(processes: TestProcess[], signal: NodeJS.Signals): void {
    for (const { pid } of processes) signalProcess(pid, signal)
  }

  /** What the agent says now, asked on the host itself; undefined when it does not answer. */
  async heartbeat(): Promise<Heartbeat | undefined> {
    if (!existsSync(this.socket)) return undefined
    return await askSocket(this.socket, '/cpn/v1/heartbeat').then(
      (answer) => heartbeatSchema.parse(answer),
      () => undefined,
    )
  }

  /** What its link was told to do is taken back. */
  heal(): void {
    this.proxy.resume()
    this.proxy.limit(undefined)
    this.proxy.delayMs = 0
  }

  /** Resolves when the agent has a job in work. */
  async busy(patienceMs: number): Promise<void> {
    for (const end = performance.now() + patienceMs; ((await this.heartbeat())?.busy ?? 0) === 0; ) {
      if (performance.now() > end) throw new Error(`${this.name} never had a job in work`)
    }
  }

  /** Resolves when all workers are ready. */
  async ready(): Promise<void> {
    let ready = false
    const look = (): boolean => {
      void this.heartbeat().then((heartbeat) => {
        ready = heartbeat?.state === 'ready'
      })
      return ready
    }
    await until(look, `the agent of ${this.name} is ready`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync()
  }

  #running(program: RegExp): TestProcess[] {
    return this.host.processes().filter(({ command }) => program.test(command))
  }
}
