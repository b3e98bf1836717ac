import type { Context } from '../../common/context.ts'
import { CpnError } from '../../common/errors.ts'
import type { Inventory } from '../../inventory/inventory.ts'
import { didYouMean } from '../../inventory/nearest.ts'
import { openState, type State } from '../../inventory/state.ts'
import { groupFaces } from '../../matching/group.ts'
import { groupName, groupNumber, numberGroups } from '../../people/group-names.ts'
import { groupedWith, joined } from '../../people/group-unknown.ts'
import { type FaceGroup, type GroupLedger, openGroupLedger } from '../../runs/group-ledger.ts'
import { type Ledger, openLedger, type RunRecord } from '../../runs/ledger.ts'
import { lockOut } from '../../runs/run-lock.ts'
import { embedderOf, type FacesRunOptions, personRuns } from './apply-people.ts'
import type { EmbedderFacts } from './naming.ts'
import { groupingOf, sortFaces } from './sort-faces.ts'

/** A group of faces that nobody knows. */
export interface GroupInfo {
  /** unknown-001 */
  group: string
  faces: number
  photos: number
  /** Somebody split or merged it. */
  byHand: boolean
  /** Paths in OUT of some of its photos. */
  sample: string[]
}

export interface GroupsOfRun {
  run: string
  out: string
  groups: GroupInfo[]
}

const sampleSize = 3

/** The groups of a run, made now if they were left for later. Rejects with CPN_ERR_RUN_UNKNOWN and CPN_ERR_RUN_BUSY. */
export async function listGroups(inventory: Inventory, run: string, ctx: Context): Promise<GroupsOfRun> {
  using parts = await openGroups(inventory, run, 'look', ctx)
  const { ledger, groups, run: record } = parts
  return {
    run: record.id,
    out: record.out,
    groups: groups.groups(record.id).map((group) => describe(group, ledger, record)),
  }
}

function describe({ number, byHand, faces }: FaceGroup, ledger: Ledger, { id }: RunRecord): GroupInfo {
  const jobs = [...new Set(faces.map(({ job }) => job))]
  const names = jobs.slice(0, sampleSize).flatMap((job) => ledger.inputsOf(id, job).slice(0, 1))
  return {
    group: groupName(number),
    faces: faces.length,
    photos: jobs.length,
    byHand,
    sample: names.map(({ name }) => name),
  }
}

/**
 * Makes several groups of one, by linking only faces that are more similar than it was made with. The largest keeps the
 * name. Rejects with CPN_ERR_PERSON_UNKNOWN, with CPN_ERR_USAGE where it does not fall apart, and as `listGroups`.
 * @returns the parts, the largest first
 */
export async function splitGroup(inventory: Inventory, run: string, name: string, ctx: Context): Promise<GroupInfo[]> {
  using parts = await openGroups(inventory, run, 'change', ctx)
  const { groups, run: record, embedder } = parts
  const all = groups.groups(record.id)
  const group = requireGroup(all, name, record)
  const vectors = joined(group.faces.map(({ job, face }) => groups.facesOf(record.id, job).embeddings[face]!))
  const labels = fallApart(vectors, groupingOf(embedder).threshold)
  if (!labels) {
    throw new CpnError('CPN_ERR_USAGE', `${groupName(group.number)} cannot be split: its faces are alike`, {
      suggestions: ['Name it all the same, and then remove single photos: see cpn people list.'],
    })
  }
  const former = group.faces.map(() => group.number)
  const numbers = numberGroups(labels, former, groups.lastGroup(record.id))
  const made = [...numbers].map(([label, number]) => ({
    number,
    byHand: true,
    faces: group.faces.filter((_, i) => labels[i] === label),
  }))
  await parts.change([...all.filter((other) => other !== group), ...made])
  return made.sort((a, b) => b.faces.length - a.faces.length).map((part) => describe(part, parts.ledger, record))
}

const splitStep = 0.02
const tightest = 0.95

/** Labels at the lowest threshold that makes several groups; undefined if none does. */
function fallApart(vectors: Float32Array, from: number): Int32Array | undefined {
  for (let threshold = from + splitStep; threshold < tightest; threshold += splitStep) {
    const { labels } = groupFaces(vectors, { threshold })
    if (new Set(labels.filter((label) => label >= 0)).size > 1) return labels
  }
  return undefined
}

/** Makes two groups one, which is called `into`. Rejects with CPN_ERR_PERSON_UNKNOWN, and as `listGroups`. */
export async function mergeGroups(
  inventory: Inventory,
  run: string,
  from: string,
  into: string,
  ctx: Context,
): Promise<GroupInfo> {
  using parts = await openGroups(inventory, run, 'change', ctx)
  const all = parts.groups.groups(parts.run.id)
  const [one, other] = [requireGroup(all, from, parts.run), requireGroup(all, into, parts.run)]
  const merged = {
    number: other.number,
    byHand: true,
    faces: one === other ? one.faces : [...other.faces, ...one.faces],
  }
  await parts.change([...all.filter((group) => group !== one && group !== other), merged])
  return describe(merged, parts.ledger, parts.run)
}

/** Throws CPN_ERR_PERSON_UNKNOWN. */
export function requireGroup(groups: readonly FaceGroup[], name: string, { id }: RunRecord): FaceGroup {
  const found = groups.find(({ number }) => number === groupNumber(name))
  if (found) return found
  const names = groups.map(({ number }) => groupName(number))
  throw new CpnError('CPN_ERR_PERSON_UNKNOWN', `run ${id} has no group ${JSON.stringify(name)}`, {
    suggestions: [didYouMean(name, names, `See which there are: cpn people groups --run ${id}`)],
  })
}

/** A run with its groups, which are as they should be. */
export class OpenGroups implements Disposable {
  readonly state: State
  readonly ledger: Ledger
  readonly groups: GroupLedger
  readonly run: RunRecord
  readonly embedder: EmbedderFacts
  readonly #ctx: Context
  readonly #held: DisposableStack

  constructor(
    parts: Pick<OpenGroups, 'state' | 'ledger' | 'groups' | 'run' | 'embedder'>,
    held: DisposableStack,
    ctx: Context,
  ) {
    this.state = parts.state
    this.ledger = parts.ledger
    this.groups = parts.groups
    this.run = parts.run
    this.embedder = parts.embedder
    this.#held = held
    this.#ctx = ctx
  }

  /** Puts groups in the place of all that there were, and brings OUT/people to that. The lock is held. */
  async change(groups: readonly FaceGroup[]): Promise<void> {
    this.groups.setGroups(this.run, groups, groupedWith(groupingOf(this.embedder)))
    await sort(this, this.#ctx)
  }

  [Symbol.dispose](): void {
    this.#held.dispose()
  }
}

/**
 * Opens the groups of a run, made now if they were left for later. Whoever opens them to change something has the lock of
 * the run's folder from before they are read until they are disposed of.
 * @param run an id, or `last` for the last one that looked for persons
 */
export async function openGroups(
  inventory: Inventory,
  run: string,
  purpose: 'look' | 'change',
  ctx: Context,
): Promise<OpenGroups> {
  const state = await openState(inventory.stateDir)
  using held = new DisposableStack()
  const ledger = held.use(openLedger(state.ledgerFile))
  const [found] = personRuns(ledger, run)
  if (purpose === 'change') held.use(lockOut(state.locksDir, found!.out))
  // Before the lock was there somebody may have gone on with it.
  const [record] = personRuns(ledger, found!.id)
  const embedder = await embedderOf(record!, state, ctx)
  const groups = held.use(openGroupLedger(state.ledgerFile))
  const parts = { state, ledger, groups, run: record!, embedder }
  if (groups.groupedBy(record!.id) !== groupedWith(groupingOf(embedder))) {
    using _lock = purpose === 'look' ? lockOut(state.locksDir, record!.out) : undefined
    await sort(parts, ctx)
  }
  return new OpenGroups(parts, held.move(), ctx)
}

/** The caller holds the lock of the run's folder. */
async function sort({ state, run, embedder }: Pick<OpenGroups, 'state' | 'run' | 'embedder'>, ctx: Context) {
  const { ledgerFile } = state
  const { pipeline } = run.options as unknown as FacesRunOptions
  await sortFaces({ ledgerFile, run, out: run.out, annotated: pipeline.annotate !== 'none', embedder }, ctx)
  ctx.signal.throwIfAborted()
}
