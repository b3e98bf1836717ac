import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Heartbeat, heartbeatSchema } from '../../../src/protocol/messages.ts'
import { signalProcess, type TestProcess } from '../../helpers/processes.ts'
import { type FaultProxy, startProxy } from '../../helpers/proxy.ts'
import { type SshdHost, type SshdOptions, startSshd } from '../../helpers/sshd.ts'
import { until } from '../../helpers/until.ts'
import { askSocket } from './ask-socket.ts'

/** Settings of a node in the inventory. */
export interface NodeSettings {
  workers?: number
  remoteDir?: string
}

/** A real host with a real agent, reached through a proxy of ours. */
export class LabNode implements AsyncDisposable {
  readonly host: SshdHost
  readonly proxy: FaultProxy
  readonly settings: NodeSettings

  constructor(host: SshdHost, proxy: FaultProxy, settings: NodeSettings) {
    this.host = host
    this.proxy = proxy
    this.settings = settings
  }

  static async start(options: SshdOptions, settings: NodeSettings): Promise<LabNode> {
    const host = await startSshd(options)
    return new LabNode(host, await startProxy(host), settings)
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

  /** Resolves when the agent has a job in work. */
  async busy(): Promise<void> {
    for (const end = performance.now() + 30_000; ((await this.heartbeat())?.busy ?? 0) === 0; ) {
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
    await this.proxy[Symbol.asyncDispose]()
    await this.host[Symbol.asyncDispose]()
  }

  #running(program: RegExp): TestProcess[] {
    return this.host.processes().filter(({ command }) => program.test(command))
  }
}
