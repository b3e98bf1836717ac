import type { Context } from '../../common/context.ts'
import { type CpnError, toCpnError } from '../../common/errors.ts'
import type { Host } from '../../inventory/inventory.ts'
import type { State } from '../../inventory/state.ts'
import { labelOf, type PipelineVersion } from '../../models/pipeline-version.ts'
import type { InstalledModel } from '../../models/store.ts'
import { whoWeAre } from '../../provision/lock.ts'
import { differenceFromTruth, differenceOfVersions, lostShare, type Opinion } from '../../rollout/compare.ts'
import type { GoldenPicture } from '../../rollout/golden-pictures.ts'
import { NodeRollout, type Reach, takeBack } from '../../rollout/node-rollout.ts'
import { differenceOf } from '../../scheduler/agreement.ts'
import {
  canariesDisagree,
  canaryFailed,
  losesFaces,
  nobodyCanTry,
  resultsDiffer,
  tooManyFailed,
} from './push-errors.ts'
import type { GoldenReport, PushEvent, PushedNode, PushOptions, PushReport } from './push-report.ts'
import type { ResolvedPipeline, Stores } from './resolve-pipeline.ts'

export interface PushParts {
  hosts: Host[]
  /** Hosts that may be canaries; others than `hosts` where none of those can be trusted. */
  canaries: Host[]
  state: State
  stores: Stores
  version: PipelineVersion
  from: PipelineVersion
  target: ResolvedPipeline
  old: ResolvedPipeline | undefined
  pictures: GoldenPicture[]
  reach: Reach
  /** Nodes that the version in use leaves out. */
  bars: Readonly<Record<string, string>>
  options: PushOptions
  ctx: Context
  onEvent: (event: PushEvent) => void
}

/** A canary that has looked at the pictures. */
interface Seen {
  host: string
  build: string
  said: Opinion[]
  /** With the version in use; undefined where the node has it not. */
  before: Opinion[] | undefined
}

/** One push, from its first canary to its end. */
export class Push {
  readonly #parts: PushParts
  readonly #nodes = new Map<string, PushedNode>()
  /** What this push has put where, to be taken back. */
  readonly #sent = new Map<Host, InstalledModel[]>()
  /** Against what the others are compared. */
  #first: Seen | undefined
  #golden: GoldenReport | null = null

  constructor(parts: PushParts) {
    this.#parts = parts
    for (const { name } of parts.hosts) this.#node(name)
  }

  get #label(): string {
    return labelOf(this.#parts.version)
  }

  get #isInUse(): boolean {
    return this.#label === labelOf(this.#parts.from)
  }

  async go(): Promise<PushReport> {
    const { from, hosts, ctx, onEvent } = this.#parts
    onEvent({ type: 'begin', version: this.#label, from: labelOf(from), hosts: hosts.length })
    try {
      const left = await this.#tryCanaries()
      await this.#pushToRest(left)
      ctx.signal.throwIfAborted()
      await this.#activate()
      return this.#report(this.#label, null)
    } catch (cause) {
      const error = toCpnError(cause)
      await this.#giveUp()
      ctx.logger.error({ event: 'push-failed', version: this.#label, code: error.code }, 'models not pushed')
      ctx.signal.throwIfAborted()
      if (error.code === 'CPN_ERR_NO_USABLE_HOST') throw error
      return this.#report(labelOf(from), error)
    }
  }

  /** The first nodes that answer. All of them have to get it right. @returns the hosts that are left */
  async #tryCanaries(): Promise<Host[]> {
    const { hosts, options, ctx } = this.#parts
    await using opened = new AsyncDisposableStack()
    const canaries: NodeRollout[] = []
    const tried = new Set<Host>()
    for (const host of this.#parts.canaries) {
      if (canaries.length === options.canaries) break
      ctx.signal.throwIfAborted()
      tried.add(host)
      const node = await this.#open(host)
      if (node) canaries.push(opened.use(node))
    }
    if (canaries.length === 0) throw nobodyCanTry([...this.#nodes.values()])
    for (const { host } of canaries) this.#node(host.name).canary = true
    const tries = await Promise.all(canaries.map((node) => this.#tryCanary(node)))
    const seen = tries.filter((each) => each !== undefined)
    const failed = canaries.filter((_, index) => tries[index] === undefined)
    if (failed.length > 0)
      throw canaryFailed(
        this.#label,
        failed.map(({ host }) => this.#node(host.name)),
      )
    this.#first = seen[0]!
    this.#compareCanaries(seen)
    for (const { host } of canaries) this.#settle(host.name, {})
    return hosts.filter((host) => !tried.has(host))
  }

  async #open(host: Host): Promise<NodeRollout | undefined> {
    const { reach, ctx } = this.#parts
    try {
      return await NodeRollout.open(host, reach, ctx.signal)
    } catch (error) {
      await this.#fail(host, toCpnError(error))
      return undefined
    }
  }

  async #tryCanary(node: NodeRollout): Promise<Seen | undefined> {
    const { target, old, pictures } = this.#parts
    try {
      const hasOld = old !== undefined && node.missing(old.models).length === 0
      const before = hasOld ? await node.look(pictures, old.pipeline) : undefined
      await this.#send(node, node.missing(target.models))
      const said = await this.#look(node)
      return { host: node.host.name, build: node.build, said, before }
    } catch (error) {
      await this.#fail(node.host, toCpnError(error))
      return undefined
    }
  }

  #compareCanaries(seen: Seen[]): void {
    const { pictures, onEvent, options } = this.#parts
    for (const other of seen.slice(1)) {
      const difference = this.#disagreement(other.build, other.said)
      if (difference) throw canariesDisagree(seen[0]!.host, other.host, difference)
    }
    const { before, said } = seen.find((each) => each.before) ?? seen[0]!
    this.#golden = {
      pictures: pictures.length,
      before: before ? differenceOfVersions(before, said) : null,
      truth: differenceFromTruth(pictures, said) ?? null,
    }
    onEvent({ type: 'golden', report: this.#golden })
    const reference = this.#golden.before ?? this.#golden.truth
    if (this.#isInUse || !reference || lostShare(reference) <= options.maxLost) return
    throw losesFaces(this.#label, before && labelOf(this.#parts.from), reference, options.maxLost)
  }

  async #pushToRest(hosts: Host[]): Promise<void> {
    const { options, ctx } = this.#parts
    for (let begun = 0; begun < hosts.length; begun += options.batch) {
      ctx.signal.throwIfAborted()
      this.#assertFewFailed()
      await Promise.all(hosts.slice(begun, begun + options.batch).map((host) => this.#pushTo(host)))
    }
    this.#assertFewFailed()
  }

  async #pushTo(host: Host): Promise<void> {
    const { target, bars } = this.#parts
    await using node = await this.#open(host)
    if (!node) return
    const missing = node.missing(target.models)
    if (this.#isInUse && missing.length === 0 && bars[host.name] === undefined) {
      return this.#settle(host.name, { state: 'unchanged' })
    }
    try {
      await this.#send(node, missing)
      const difference = this.#disagreement(node.build, await this.#look(node))
      if (difference) throw resultsDiffer(host.name, this.#first!.host, difference)
      this.#settle(host.name, {})
    } catch (error) {
      await this.#fail(host, toCpnError(error))
    }
  }

  async #send(node: NodeRollout, models: InstalledModel[]): Promise<void> {
    if (models.length === 0) return
    const { host } = node
    const sent = models.map(({ manifest }) => labelOf(manifest))
    const bytes = models.reduce((all, { manifest }) => all + manifest.bytes, 0)
    this.#parts.onEvent({ type: 'sending', host: host.name, models: sent, bytes })
    this.#sent.set(host, models)
    await node.send(models)
    Object.assign(this.#node(host.name), { sent, bytes })
  }

  async #look(node: NodeRollout): Promise<Opinion[]> {
    const { pictures, target, onEvent } = this.#parts
    onEvent({ type: 'looking', host: node.host.name, pictures: pictures.length })
    return node.look(pictures, target.pipeline)
  }

  /** In what a node's answers differ from the first canary's; undefined when they do not. */
  #disagreement(build: string, said: readonly Opinion[]): string | undefined {
    const { pictures, target } = this.#parts
    const first = this.#first!
    for (const [index, opinion] of said.entries()) {
      const [one, other] = [
        { build: first.build, opinion: first.said[index]! },
        { build, opinion },
      ]
      const difference = differenceOf(one, other, target.pipeline)
      if (difference) return `${pictures[index]!.name}: ${difference}`
    }
    return undefined
  }

  /** The node goes back alone. */
  async #fail(host: Host, error: CpnError): Promise<void> {
    const skipped = error.code === 'CPN_ERR_NODE_STOPPED' || error.code === 'CPN_ERR_NODE_UNPROVISIONED'
    const left = await this.#takeBack(host)
    this.#settle(host.name, { state: skipped ? 'skipped' : 'failed', error, left })
  }

  /** @returns models that are still there */
  async #takeBack(host: Host): Promise<string[]> {
    const { reach, ctx } = this.#parts
    const models = this.#sent.get(host)
    if (!models) return []
    this.#sent.delete(host)
    try {
      await takeBack(host, models, reach)
      return []
    } catch (error) {
      ctx.notice(`${host.name}: ${toCpnError(error).message}`)
      return models.map(({ manifest }) => labelOf(manifest))
    }
  }

  /** Everything that this push has sent is removed again. */
  async #giveUp(): Promise<void> {
    const sent = [...this.#sent.keys()]
    const left = await Promise.all(sent.map((host) => this.#takeBack(host)))
    const back = new Map(sent.map(({ name }, index) => [name, left[index]!]))
    for (const { name, state, canary } of this.#nodes.values()) {
      const wasTried = state === 'ready' || (canary && state === 'waiting')
      if (back.has(name) || wasTried) this.#settle(name, { state: 'back', left: back.get(name) ?? [] })
    }
  }

  #node(name: string): PushedNode {
    const fresh = { name, canary: false, state: 'waiting', sent: [], bytes: 0, error: null, left: [] } as PushedNode
    return this.#nodes.getOrInsert(name, fresh)
  }

  #settle(name: string, change: Partial<PushedNode>): void {
    const node = this.#node(name)
    const hadIt = this.#isInUse && node.sent.length === 0 && this.#parts.bars[name] === undefined
    const state = hadIt ? 'unchanged' : 'ready'
    Object.assign(node, { state, ...change })
    this.#parts.onEvent({ type: 'node', node: { ...node } })
  }

  async #activate(): Promise<void> {
    const { version, from, stores, bars, state, ctx } = this.#parts
    const inDoubt = this.#failed.filter(({ error }) => error?.code === 'CPN_ERR_GOLDEN')
    const kept = Object.entries(this.#isInUse ? bars : {}).filter(([name]) => !this.#isGood(name))
    const without = Object.fromEntries([...kept, ...inDoubt.map(({ name, error }) => [name, error!.message])])
    const by = whoWeAre()
    for (const { name, sent, state: became } of this.#nodes.values()) {
      if (sent.length > 0 && became === 'ready') {
        await state.recordHostEvent(name, { event: 'models-sent', by, version: this.#label, models: sent })
      }
    }
    if (this.#isInUse && JSON.stringify(without) === JSON.stringify(bars)) return
    await stores.pipelines.activate(version, { version: version.version, since: new Date().toISOString(), by, without })
    ctx.logger.info({ event: 'models-pushed', version: this.#label, from: labelOf(from) }, 'models pushed')
  }

  #isGood(name: string): boolean {
    const state = this.#nodes.get(name)?.state
    return state === 'ready' || state === 'unchanged'
  }

  get #failed(): PushedNode[] {
    return [...this.#nodes.values()].filter(({ state }) => state === 'failed')
  }

  #assertFewFailed(): void {
    const { hosts, options } = this.#parts
    const limit = options.maxFail ?? Math.max(2, Math.ceil(hosts.length / 2))
    const failed = this.#failed.length
    if (failed >= limit) throw tooManyFailed(this.#label, failed, hosts.length)
  }

  #report(active: string, error: CpnError | null): PushReport {
    const { version, from, target } = this.#parts
    return {
      pipeline: version.name,
      version: this.#label,
      from: labelOf(from),
      active,
      models: target.models.map(({ manifest }) => labelOf(manifest)),
      embedderChanged: version.embedder.sha256 !== from.embedder.sha256,
      golden: this.#golden,
      nodes: [...this.#nodes.values()],
      error,
    }
  }
}
