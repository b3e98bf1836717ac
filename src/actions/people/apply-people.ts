import type { Context } from '../../common/context.ts'
import { CpnError } from '../../common/errors.ts'
import type { Inventory } from '../../inventory/inventory.ts'
import { openState, type State } from '../../inventory/state.ts'
import { looksForPersons, type PinnedModel } from '../../models/pipeline-version.ts'
import { resolveModel } from '../../models/resolve.ts'
import { openModelStore } from '../../models/store.ts'
import type { People } from '../../people/people.ts'
import { PeopleStore } from '../../people/people-store.ts'
import type { ModelManifest } from '../../protocol/model.ts'
import type { FacesPipeline } from '../../protocol/pipeline.ts'
import { InputReader } from '../../runs/input-reader.ts'
import { type Ledger, openLedger, type RunRecord } from '../../runs/ledger.ts'
import { lockOut } from '../../runs/run-lock.ts'
import { RunWriter } from '../../runs/run-writer.ts'
import { defaultResults, type ResultOptions } from '../../runs/sinks/index.ts'
import { openFleet } from '../open-fleet.ts'
import { unknownRun } from '../predict/runs.ts'
import { tellNodes } from '../predict/tell-nodes.ts'
import { writeRunResults } from '../predict/write-run-results.ts'
import { type AppliedNames, type ApplyParts, applyNames } from './apply-names.ts'
import { type EmbedderFacts, namingOf } from './naming.ts'
import { sortFaces } from './sort-faces.ts'

export interface ApplyPeopleOptions {
  inventory: Inventory
  /** Id of a run, or `last`; undefined for all runs that look for persons and whose results are their own still. */
  run: string | undefined
  /** Host patterns for pictures that are drawn anew; empty means all. */
  hosts: string[]
  /** Lowest similarity that names a person; default: what the run was asked for, or the embedder's. */
  threshold: number | undefined
}

export interface AppliedRun extends AppliedNames {
  run: string
  out: string
  /** Results besides predictions.jsonl, and what of OUT/people, that could not be written, with the reason. */
  unwritten: string[]
}

/**
 * Names the faces of earlier runs again, by who is enrolled now. No image is inferred again; pictures on which something
 * changes are drawn anew from their originals. Rejects with CPN_ERR_RUN_UNKNOWN, CPN_ERR_RUN_BUSY, CPN_ERR_GALLERY_DAMAGED,
 * and where pictures have to be drawn CPN_ERR_NO_USABLE_HOST.
 */
export async function applyPeople(options: ApplyPeopleOptions, ctx: Context): Promise<AppliedRun[]> {
  const state = await openState(options.inventory.stateDir)
  const people = await new PeopleStore(state.peopleDir).read()
  using ledger = openLedger(state.ledgerFile)
  const runs = personRuns(ledger, options.run)
  const applied: AppliedRun[] = []
  for (const run of runs) applied.push(await applyToRun(run, { ...options, state, people, ledger }, ctx))
  return applied
}

interface Parts extends Pick<ApplyPeopleOptions, 'inventory' | 'hosts' | 'threshold'> {
  state: State
  people: People
  ledger: Ledger
  /** Faces to forget. */
  forget?: ApplyParts['forget']
  /** False where the folder is another run's now, or gone: only the ledger changes. Default true. */
  outputs?: boolean
}

/** @param run one whose folder no later run has written to */
export async function applyToRun(run: RunRecord, parts: Parts, ctx: Context): Promise<AppliedRun> {
  using _lock = lockOut(parts.state.locksDir, run.out)
  return await applyToLockedRun(run, parts, ctx)
}

/** The same for a caller who holds the lock of the run's folder. */
export async function applyToLockedRun(run: RunRecord, parts: Parts, ctx: Context): Promise<AppliedRun> {
  const { inventory, hosts, state, people, ledger, forget, outputs = true } = parts
  const { id, out, options } = run
  const { pipeline, pipelineName, threshold, embeddings, results } = options as unknown as FacesRunOptions
  const embedder = await embedderOf(run, state, ctx)
  const isNamed = looksForPersons(pipelineName)
  const naming = isNamed ? namingOf(people, embedder, parts.threshold ?? threshold, ctx) : undefined
  const shown: typeof pipeline = outputs ? pipeline : { ...pipeline, annotate: 'none' }
  await using held = new AsyncDisposableStack()
  const writer = held.use(new RunWriter(state.ledgerFile))
  const reader = held.use(new InputReader())
  const fleet = async () => {
    const opened = held.use(await openFleet({ inventory, hosts, state }, ctx))
    await opened.usable(ctx.signal)
    held.defer(tellNodes(opened, ctx))
    return opened
  }
  const applied = await applyNames(
    { ledger, writer, reader, run, pipeline: shown, naming, fleet, out, forget, drain: ctx.signal },
    ctx,
  )
  const asked = { annotate: pipeline.annotate, embeddings, results: { ...defaultResults, ...results } }
  const annotated = pipeline.annotate !== 'none'
  const sorting = { ledgerFile: state.ledgerFile, run, out, annotated, embedder }
  // The groups are a thread's work, meanwhile the lists are written.
  const sorted = outputs && isNamed ? sortFaces(sorting, ctx) : undefined
  const unwritten: string[] = []
  try {
    if (outputs) unwritten.push(...(await writeRunResults(ledger, id, out, asked, ctx)))
  } finally {
    unwritten.push(...((await sorted)?.faults ?? []))
  }
  ctx.signal.throwIfAborted()
  return { run: id, out, ...applied, unwritten }
}

/** What is kept of a run that embeds faces. */
export interface FacesRunOptions {
  pipeline: FacesPipeline
  pipelineName: string
  threshold: number | undefined
  /** The embedder's, with what its pipeline's version said of them; runs of an older cpn have none. */
  thresholds?: ModelManifest['thresholds']
  embeddings: boolean
  /** Runs of an older cpn have none. */
  results?: Partial<ResultOptions>
}

/** Those whose folder no later run has written to. */
export function personRuns(ledger: Ledger, wanted: string | undefined): RunRecord[] {
  const isPersons = ({ options }: RunRecord) => looksForPersons(String(options.pipelineName))
  const isLast = ({ id, out }: RunRecord) => ledger.lastRunOf(out)?.id === id
  const runs = ledger.runs()
  if (wanted === undefined) return runs.filter((run) => isPersons(run) && isLast(run))
  const found = wanted === 'last' ? runs.filter(isPersons).at(-1) : runs.find(({ id }) => id === wanted)
  if (!found) throw unknownRun(wanted === 'last' ? 'no run has looked for persons' : `there is no run ${wanted}`)
  if (!isPersons(found)) throw unknownRun(`run ${found.id} has no embeddings: it did not look for persons`)
  if (!isLast(found)) throw unknownRun(`the results in ${found.out} are those of a later run than ${found.id}`)
  return [found]
}

/** The model that embedded the faces of a run, with the thresholds that the run was made with. */
export async function embedderOf({ options }: RunRecord, state: State, ctx: Context): Promise<EmbedderFacts> {
  const { pipeline, thresholds } = options as unknown as FacesRunOptions
  const manifest = await manifestOf(pipeline.embedder!.model, state, ctx)
  return { ...manifest, thresholds: { ...manifest.thresholds, ...thresholds } }
}

/** Thresholds lie in the manifest; where that is gone, the usual ones count. */
export async function manifestOf(model: PinnedModel, state: State, ctx: Context): Promise<EmbedderFacts> {
  const store = openModelStore({ dir: state.modelsDir, logger: ctx.logger })
  try {
    return (await resolveModel(store, `${model.name}@${model.version}`)).manifest
  } catch (error) {
    if (!(error instanceof CpnError) || error.code !== 'CPN_ERR_MODEL_UNKNOWN') throw error
    return { ...model, thresholds: {} }
  }
}
