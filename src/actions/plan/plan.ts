import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Context } from '../../common/context.ts'
import { canonicalJson, sha256 } from '../../common/digest.ts'
import { randomOf } from '../../common/random.ts'
import type { Fleet } from '../../fleet/fleet.ts'
import type { State } from '../../inventory/state.ts'
import { type Estimate, estimate } from '../../planning/estimate.ts'
import { keepPlan, type Planned } from '../../planning/plan-file.ts'
import { stratifiedSample } from '../../planning/sample.ts'
import type { Pipeline } from '../../protocol/pipeline.ts'
import type { Root } from '../../runs/find-inputs.ts'
import { InputReader } from '../../runs/input-reader.ts'
import { openLedger } from '../../runs/ledger.ts'
import { listedAtMost } from '../../runs/sinks/page.ts'
import { isSameWork } from '../../runs/sqlite-ledger.ts'
import { choosePipeline } from '../models/choose-pipeline.ts'
import { openFleet } from '../open-fleet.ts'
import { namingOf } from '../people/naming.ts'
import { openPlaces, type PredictOptions } from '../predict/predict.ts'
import { nothingToDo } from '../predict/predict-run.ts'
import { type Survey, surveyInputs } from '../predict/survey-inputs.ts'
import { Trial, type TrialEvent } from './trial.ts'
import { TrialWriter } from './trial-writer.ts'

export interface PlanOptions extends Omit<PredictOptions, 'wait' | 'audit' | 'verify' | 'retry' | 'run' | 'results'> {
  /** Images that are tried, at most. */
  sample: number
}

export type PlanEvent =
  | { type: 'found'; images: number; complete: boolean }
  | { type: 'sampled'; images: number }
  | TrialEvent

export interface Plan {
  out: string
  inputs: Omit<Survey, 'candidates' | 'unread'> & { unread: Record<string, number> }
  /** Undefined where nothing is left to be done. */
  estimate?: Estimate
  disk?: Disk
  /** Hosts that could not be used, with the reason. */
  unusable: { name: string; reason: string }[]
}

/** Bytes that the run takes at most, as the sample says, and that are free. */
export interface Disk {
  needed: number
  free: number
  /** Of the state folder, for the ledger. */
  state: { needed: number; free: number }
  fits: boolean
}

/** As much as a run wants to find free beside what it writes. */
const spareBytes = 64 * 1024 * 1024
/** The same folder gives the same sample. */
const seed = 1

/**
 * Predicts what `predict` of the same would take, by a sample that every node works on. Nothing stays of it but the plan, which
 * the next such run is compared with. Rejects as predict does before a run begins.
 */
export async function plan(options: PlanOptions, ctx: Context, onEvent: (event: PlanEvent) => void): Promise<Plan> {
  const { roots, out, place, state } = await openPlaces(options)
  const { resolved, people } = await choosePipeline(state, options, { ...options, place }, ctx)
  const { pipeline, models, embedder, labels, without } = resolved
  const naming = embedder && namingOf(people, embedder, options.threshold, ctx)
  const about: Planned = {
    paths: options.paths.map((path) => resolve(path)),
    out: place,
    pipelineDigest: sha256(canonicalJson(pipeline)),
  }
  const random = randomOf(seed)
  const { candidates, ...survey } = await lookThrough(roots, { state, about, pipeline, random }, ctx, onEvent)
  const inputs = { ...survey, unread: Object.fromEntries(survey.unread) }
  if (survey.images === 0) throw nothingToDo(roots)
  if (candidates.length === 0) return { out, inputs, unusable: [] }

  const sample = stratifiedSample(candidates, options.sample, random)
  onEvent({ type: 'sampled', images: sample.length })
  const started = performance.now()
  await using fleet = await openFleet({ ...options, state, models, without, gallery: naming?.gallery }, ctx)
  await using reader = new InputReader()
  await using writer = await TrialWriter.open(state.plansDir, { matcher: naming?.match, labels })
  await fleet.usable(ctx.signal)
  const startSeconds = (performance.now() - started) / 1000
  await fleet.settled(ctx.signal)
  const unusable = unusableOf(fleet)
  const parts = { fleet, reader, writer, pipeline, matching: naming?.matching, embeddings: options.embeddings, sample }
  const measures = await new Trial(parts, ctx, onEvent).run()
  const listed = Math.min(survey.left.images, listedAtMost)
  const work = { ...survey.left, listed, annotates: pipeline.annotate !== 'none' }
  const found = estimate(work, { ...measures, startSeconds }, random)
  keepPlan(state.plansDir, about, {
    createdAt: new Date().toISOString(),
    images: work.images,
    seconds: found.seconds,
    imagesPerSecond: found.imagesPerSecond,
    shares: Object.fromEntries(found.nodes.map(({ name, share }) => [name, share])),
  })
  return { out, inputs, estimate: found, disk: await diskOf(found, about.out, state.dir), unusable }
}

interface SurveyParts {
  state: State
  about: Planned
  pipeline: Pipeline
  random: () => number
}

async function lookThrough(
  roots: Root[],
  { state, about, pipeline, random }: SurveyParts,
  ctx: Context,
  onEvent: (event: PlanEvent) => void,
): Promise<Survey> {
  // A plan makes no ledger where there is none.
  using ledger = existsSync(state.ledgerFile) ? openLedger(state.ledgerFile) : undefined
  const run = ledger?.lastRunOf(about.out)
  const asked = { options: { paths: [...about.paths] }, pipelineDigest: about.pipelineDigest }
  const earlier = ledger && run && isSameWork(run, asked) ? { ledger, run } : undefined
  const how = { out: about.out, annotates: pipeline.annotate !== 'none', verify: false, retry: false }
  const options = { ...how, place: about.out, earlier, random }
  const tell = (images: number) => onEvent({ type: 'found', images, complete: false })
  const survey = await surveyInputs(roots, options, ctx, tell)
  onEvent({ type: 'found', images: survey.images, complete: true })
  return survey
}

function unusableOf({ nodes }: Fleet): Plan['unusable'] {
  return nodes
    .filter(({ slots }) => slots === 0)
    .map(({ name, error, state }) => ({ name, reason: error?.message ?? `it is ${state}` }))
}

async function diskOf(
  { copyBytes, resultsBytes, ledgerBytes }: Estimate,
  out: string,
  stateDir: string,
): Promise<Disk> {
  const needed = copyBytes.high + resultsBytes
  const [free, stateFree] = await Promise.all([freeAt(out), freeAt(stateDir)])
  const fits = free >= needed + spareBytes && stateFree >= ledgerBytes
  return { needed, free, state: { needed: ledgerBytes, free: stateFree }, fits }
}

/** Bytes that a user may still write where a folder is or will be. */
async function freeAt(folder: string): Promise<number> {
  if (!existsSync(folder) && dirname(folder) !== folder) return freeAt(dirname(folder))
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}
