import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CpnProcess } from '../../helpers/cli.ts'
import { addTinyDetector } from '../../helpers/drawn-job.ts'
import { type Project, project } from '../../helpers/project.ts'
import { tinyManifest } from '../../helpers/tiny-model.ts'
import { LabNode, type LabNodeOptions } from './lab-node.ts'
import { drawPictures } from './pictures.ts'
import { type Results, takeResults } from './results.ts'

/** Pictures that runs are made over, by the folder's name. */
export interface PictureSet {
  count: number
  padding?: number
}

export interface LabOptions {
  nodes: LabNodeOptions[]
  sets: Record<string, PictureSet>
}

/** A fleet to be ill-treated: provisioned nodes behind proxies, folders of pictures, and what comes of them in peace. */
export class Lab implements AsyncDisposable {
  readonly home: Project
  readonly nodes: LabNode[]
  readonly #oracles = new Map<string, Promise<Results>>()
  readonly #owned = new AsyncDisposableStack()

  constructor(home: Project, nodes: LabNode[]) {
    this.home = home
    this.nodes = nodes
    for (const owned of [...nodes, home]) this.#owned.use(owned)
  }

  static async open({ nodes: wanted, sets }: LabOptions): Promise<Lab> {
    await using starting = new AsyncDisposableStack()
    const nodes: LabNode[] = []
    for (const options of wanted) nodes.push(starting.use(await LabNode.start(options)))
    const home = starting.use(project())
    const lab = new Lab(home, nodes)
    for (const [name, { count, padding }] of Object.entries(sets)) {
      await drawPictures(join(home.folder, name), count, padding)
    }
    lab.writeInventory()
    await addTinyDetector(home)
    await home.ok(['provision', '--yes'])
    starting.move()
    return lab
  }

  /** The inventory with all nodes, and their present host keys as known ones. */
  writeInventory(): void {
    const state = join(this.home.folder, '.cpn')
    mkdirSync(state, { recursive: true, mode: 0o700 })
    const keys = this.nodes.map(({ host }) => `${host.knownHostsLine()}\n`)
    writeFileSync(join(state, 'known_hosts'), keys.join(''), { mode: 0o600 })
    const lines = ['version: 1', 'hosts:', ...this.nodes.map((node) => node.inventoryLine()), '']
    writeFileSync(this.home.inventory, lines.join('\n'))
  }

  /** Starts a run over a set; its outputs go to the folder `out`. */
  predict(set: string, out: string): CpnProcess {
    return this.home.spawn(this.#predictArgs(set, out))
  }

  /** What a run over a set leaves when nothing happens. */
  oracle(set: string): Promise<Results> {
    const known = this.#oracles.get(set) ?? this.#undisturbed(set)
    this.#oracles.set(set, known)
    return known
  }

  /** Mends what a scenario has broken and not mended itself: every node is ready when it returns. */
  async heal(): Promise<void> {
    for (const { proxy } of this.nodes) {
      proxy.resume()
      proxy.limit(undefined)
      proxy.delayMs = 0
    }
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
    await this.home.ok(this.#predictArgs(set, out))
    return takeResults(this.home.folder, out)
  }

  #predictArgs(set: string, out: string): string[] {
    return ['predict', set, '--detector', tinyManifest().name, '--out', out]
  }
}
