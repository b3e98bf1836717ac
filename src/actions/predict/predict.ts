import { resolve } from 'node:path'
import type { Context } from '../../common/context.ts'
import type { CpnError } from '../../common/errors.ts'
import { collectGarbageLessOften } from '../../common/heap.ts'
import type { Inventory } from '../../inventory/inventory.ts'
import { selectSomeHosts } from '../../inventory/select.ts'
import { openState, type State } from '../../inventory/state.ts'
import { looksForPersons } from '../../models/pipeline-version.ts'
import { PeopleStore } from '../../people/people-store.ts'
import { assertKeepsOriginals, defaultOut, type Root, realPath, resolveRoots } from '../../runs/find-inputs.ts'
import { InputReader } from '../../runs/input-reader.ts'
import { openLedger } from '../../runs/ledger.ts'
import { assertWritable } from '../../runs/out-folder.ts'
import type { Summary } from '../../runs/outputs.ts'
import type { FinishedInput } from '../../runs/recorder.ts'
import { lockOut } from '../../runs/run-lock.ts'
import { RunWriter } from '../../runs/run-writer.ts'
import type { ResultOptions } from '../../runs/sinks/index.ts'
import { followInventory } from '../follow-inventory.ts'
import { choosePipeline } from '../models/choose-pipeline.ts'
import type { PipelineOptions } from '../models/resolve-pipeline.ts'
import { openFleet } from '../open-fleet.ts'
import { namingOf } from '../people/naming.ts'
import { tellPlanError } from '../plan/plan-error.ts'
import { PredictRun } from './predict-run.ts'

export interface PredictOptions extends PipelineOptions {
  inventory: Inventory
  /** Files and folders. */
  paths: string[]
  /** Folder of the outputs; default beside the input. */
  out?: string
  /** Host patterns; empty means all. */
  hosts: string[]
  /** How results are written. */
  results: ResultOptions
  /** Waits for a usable node instead of ending. */
  wait: boolean
  /** Share of images, 0..1, that a second node looks at, too. */
  audit: number
  /** Compares finished inputs by content, not by size and times. */
  verify: boolean
  /** The run that has to go on; without it a new one may begin. */
  run?: string
  /** Does inputs anew that failed or were quarantined. */
  retry: boolean
}

/** What a run tells while it goes on. */
export type PredictEvent =
  /** `epoch` is 1 for a new run, higher for one that goes on. */
  | { type: 'begin'; run: string; epoch: number; out: string; usable: string[] }
  /** `skipped` of the inputs were finished by an earlier epoch. */
  | { type: 'found'; inputs: number; skipped: number; complete: boolean }
  | { type: 'finished'; input: FinishedInput }
  | { type: 'stalled'; waiting: boolean }
  /** All inputs are settled, and this share of the grouping of unknown faces, 0 to 1, is done. */
  | { type: 'grouping'; done: number }

export interface PredictResult {
  summary: Summary
  out: string
  /** Why the run ended before its inputs did. */
  ended?: CpnError
}

/** Where a run reads, writes and keeps what it knows. */
interface Places {
  roots: Root[]
  /** Absolute. */
  out: string
  /** Real path of it. */
  place: string
  state: State
}

/** Rejects with CPN_ERR_INPUT_MISSING and CPN_ERR_USAGE, and where no host is meant. Writes nothing. */
export async function openPlaces({ paths, out: named, inventory, hosts }: PlacesAsked): Promise<Places> {
  const roots = await resolveRoots(paths)
  const out = named === undefined ? defaultOut(roots) : resolve(named)
  await assertKeepsOriginals(roots, out)
  // Asked before anything else: a model for no host is not worth a question.
  selectSomeHosts(inventory, hosts)
  return { roots, out, place: await realPath(out), state: await openState(inventory.stateDir) }
}

type PlacesAsked = Pick<PredictOptions, 'paths' | 'out' | 'inventory' | 'hosts'>

/**
 * Runs a pipeline over images on the fleet's nodes. Results are in the out folder when it returns, whatever ended it.
 * Where the same paths went through the same pipeline into the same folder before, that run goes on: what it finished
 * and what is still as it was is skipped. Rejects before a run begins with CPN_ERR_INPUT_MISSING, CPN_ERR_USAGE,
 * CPN_ERR_OUTPUT_WRITE, CPN_ERR_RUN_BUSY, CPN_ERR_MODEL_*, CPN_ERR_NO_USABLE_HOST.
 */
export async function predict(
  asked: PredictOptions,
  ctx: Context,
  onEvent: (event: PredictEvent) => void,
): Promise<PredictResult> {
  collectGarbageLessOften(100)
  const { roots, out, place, state } = await openPlaces(asked)
  // Models and hosts for results that nobody can write are not worth a question either.
  await assertWritable(out)
  using _lock = lockOut(state.locksDir, place)
  const { resolved, pipelineName, because, people } = await choosePipeline(state, asked, { ...asked, place }, ctx)
  const options = { ...asked, pipelineName }
  const { pipeline, models, embedder, labels, without } = resolved
  const naming = embedder && namingOf(people, embedder, options.threshold, ctx)
  // Somebody may be forgotten while the run goes on: its results end with the people that there are then.
  const renewNaming = async () => {
    const now = await new PeopleStore(state.peopleDir).read()
    return now.version === people.version || !embedder ? naming : namingOf(now, embedder, options.threshold, ctx)
  }
  await using fleet = await openFleet({ ...options, state, models, without, gallery: naming?.gallery }, ctx)
  await using _following = followInventory(fleet, { ...options, state }, ctx)
  // While the hosts answer, the threads start.
  using ledger = openLedger(state.ledgerFile)
  await using writer = new RunWriter(state.ledgerFile)
  await using reader = new InputReader()
  const usable = fleet.usable(ctx.signal)
  await (options.wait ? usable.catch(() => ctx.signal.throwIfAborted()) : usable)
  const sorting = embedder && looksForPersons(pipelineName) ? { ledgerFile: state.ledgerFile, embedder } : undefined
  const parts = {
    ledger,
    writer,
    reader,
    pipeline,
    naming,
    renewNaming,
    labels,
    sorting,
    fleet,
    out,
    place,
    options,
    ctx,
    onEvent,
    because,
  }
  // Awaited here: what `using` holds is let go of when this function returns.
  const result = await new PredictRun(parts).go(roots)
  await tellPlanError({ state, ledger, place }, result, ctx)
  return result
}
