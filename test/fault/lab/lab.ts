import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CpnProcess } from '../../helpers/cli.ts'
import { addTinyDetector } from '../../helpers/drawn-job.ts'
import { type Project, project } from '../../helpers/project.ts'
import { tinyManifest } from '../../helpers/tiny-model.ts'
import { LabNode, type LabNodeOptions } from './lab-node.ts'
import { type Results, takeResults } from './results.ts'

export interface LabOptions {
  nodes: LabNodeOptions[]
  /** A bare host that is in no inventory until a fault takes it in. */
  spare?: LabNodeOptions
  /** Draws the pictures of a set into a folder. */
  sets: Record<string, (folder: string) => Promise<void>>
  /** Model of the catalogue that finds the faces; without it the one that finds drawn ones. */
  detector?: string
}

/** A fleet to be ill-treated: provisioned nodes behind proxies, folders of pictures, and what comes of them in peace. */
export class Lab implements AsyncDisposable {
  readonly home: Project
  readonly nodes: LabNode[]
  readonly spare: LabNode | undefined
  readonly #detector: string
  readonly #oracles = new Map<string, Promise<Results>>()
  readonly #owned = new AsyncDisposableStack()

  constructor(home: Project, nodes: LabNode[], spare: LabNode | undefined, detector: string) {
    this.#detector = detector
    this.home = home
    this.nodes = nodes
    this.spare = spare
    for (const owned of [...nodes, spare, home]) this.#owned.use(owned)
  }

  static async open({ nodes: wanted, spare: spareOptions, sets, detector }: LabOptions): Promise<Lab> {
    await using starting = new AsyncDisposableStack()
    const nodes: LabNode[] = []
    for (const options of wanted) nodes.push(starting.use(await LabNode.start(options)))
    const spare = spareOptions && starting.use(await LabNode.start(spareOptions))
    const home = starting.use(project())
    const lab = new Lab(home, nodes, spare, detector ?? tinyManifest().name)
    for (const [name, draw] of Object.entries(sets)) await draw(join(home.folder, name))
    lab.writeInventory()
    await (detector ? home.ok(['models', 'pull', detector, '--yes']) : addTinyDetector(home))
    await home.ok(['provision', '--yes'])
    starting.move()
    return lab
  }

  /** The inventory with these nodes, and their present host keys as known ones. */
  writeInventory(nodes: readonly LabNode[] = this.nodes): void {
    const state = join(this.home.folder, '.cpn')
    mkdirSync(state, { recursive: true, mode: 0o700 })
    const keys = nodes.map(({ host }) => `${host.knownHostsLine()}\n`)
    writeFileSync(join(state, 'known_hosts'), keys.join(''), { mode: 0o600 })
    const lines = ['version: 1', 'hosts:', ...nodes.map((node) => node.inventoryLine()), '']
    writeFileSync(this.home.inventory, lines.join('\n'))
  }

  /** Starts a run over a set; its outputs go to the folder `out`. */
  predict(set: string, out: string, args: string[] = []): CpnProcess {
    return this.home.spawn([...this.#predictArgs(set, out), ...args])
  }

  /** What a run over a set leaves when nothing happens. */
  oracle(set: string): Promise<Results> {
    const known = this.#oracles.get(set) ?? this.#undisturbed(set)
    this.#oracles.set(set, known)
    return known
  }

  /** Mends what a scenario has broken and not mended itself: every node is ready when it returns. */
  async heal(): Promise<void> {
    for (const node of this.nodes) node.heal()
    this.writeInventory()
    // Whoever was killed with its keeper is started, whoever makes a pause between starts is hurried.
    await this.home.ok(['start', 'all'])
    await Promise.all(this.nodes.map((node) => node.ready()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync()
  }

  async #undisturbed(set: string): Promise<Results> {
    const out = `oracle-${set}`
    await this.home.ok(this.#predictArgs(set, out), { timeoutMs: 3_600_000 })
    return takeResults(this.home.folder, out)
  }

  #predictArgs(set: string, out: string): string[] {
    return ['predict', '--pipeline', 'faces', set, '--detector', this.#detector, '--out', out]
  }
}
