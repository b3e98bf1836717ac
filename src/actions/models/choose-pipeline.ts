import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Context } from '../../common/context.ts'
import { canonicalJson, sha256 } from '../../common/digest.ts'
import type { State } from '../../inventory/state.ts'
import { looksForPersons } from '../../models/pipeline-version.ts'
import { UnreachableModel } from '../../models/pull.ts'
import { noPeople, type People } from '../../people/people.ts'
import { PeopleStore } from '../../people/people-store.ts'
import { openLedger, type RunRecord } from '../../runs/ledger.ts'
import { isSameWork } from '../../runs/sqlite-ledger.ts'
import { withWayOut } from './models.ts'
import {
  openStores,
  type PipelineOptions,
  type ResolvedPipeline,
  resolvePipeline,
  type Stores,
} from './resolve-pipeline.ts'

/** Which pipeline does the work in the end. */
export interface Choice {
  /** Who is enrolled, where persons are looked for. */
  people: People
  pipelineName: PipelineOptions['pipelineName']
  resolved: ResolvedPipeline
  /** Why it is persons-lite although nobody asked for that. */
  because?: string
}

/**
 * The pipeline that was asked for. Where none was by name, it is persons, or persons-lite in its place: for whom that
 * has enrolled, for a run that it has begun, and where the models of persons cannot be had because of the network. That is
 * told. Rejects as resolvePipeline does, and with CPN_ERR_GALLERY_DAMAGED.
 * @param run what the pipeline is for; undefined where it is no run
 */
export async function choosePipeline(
  state: State,
  options: PipelineOptions,
  run: { paths: readonly string[]; place: string } | undefined,
  ctx: Context,
): Promise<Choice> {
  const { pipelineName, mayBeLite = false } = options
  const stores = openStores(state, ctx)
  const people = looksForPersons(pipelineName) ? await new PeopleStore(state.peopleDir).read() : noPeople
  const lite = async (because: string, then = ''): Promise<Choice> => {
    const resolved = await resolvePipeline(stores, { ...options, pipelineName: 'persons-lite' }, ctx)
    ctx.notice(`persons-lite is used, because ${because}; persons is better: cpn models pull persons${then}`)
    ctx.logger.warn({ event: 'persons-lite-used', because }, 'persons-lite used')
    return { people, pipelineName: 'persons-lite', resolved, because }
  }
  if (mayBeLite && run && (await goesOnLite(state, stores, options, run, ctx)))
    return lite('this run began with it', ', then the same with --pipeline persons')
  if (mayBeLite && (await isLite(people, stores))) {
    return lite('people are enrolled with it', ', then cpn people add NAME PHOTO… --pipeline persons')
  }
  try {
    return { people, pipelineName, resolved: await resolvePipeline(stores, options, ctx) }
  } catch (error) {
    if (mayBeLite && error instanceof UnreachableModel) return lite(reasonOf(error))
    // Nobody can be added to people of another model, and a run that goes on stays what it is.
    const wouldDo = pipelineName === 'persons' && !options.begun && (run !== undefined || people.model === undefined)
    throw wouldDo ? withWayOut(error, '--pipeline persons-lite') : error
  }
}

/** Whether people are enrolled for persons-lite, and not for persons. */
async function isLite({ model }: People, { pipelines }: Stores): Promise<boolean> {
  if (!model) return false
  const [lite, persons] = await Promise.all([pipelines.active('persons-lite'), pipelines.active('persons')])
  return model.sha256 === lite.embedder.sha256 && model.sha256 !== persons.embedder.sha256
}

/** The last run into a folder, where it is one of persons-lite that has not come to its end. */
function unfinishedLite({ ledgerFile }: State, place: string): RunRecord | undefined {
  if (!existsSync(ledgerFile)) return undefined
  using ledger = openLedger(ledgerFile)
  const run = ledger.lastRunOf(place)
  return run?.options.pipelineName === 'persons-lite' && run.state !== 'finished' ? run : undefined
}

/** Whether these options with persons-lite are such a run going on. */
async function goesOnLite(
  state: State,
  stores: Stores,
  options: PipelineOptions,
  { paths, place }: { paths: readonly string[]; place: string },
  ctx: Context,
): Promise<boolean> {
  const begun = unfinishedLite(state, place)
  if (!begun) return false
  const { pipeline } = await resolvePipeline(stores, { ...options, pipelineName: 'persons-lite' }, ctx)
  const pipelineDigest = sha256(canonicalJson(pipeline))
  return isSameWork(begun, { options: { paths: paths.map((path) => resolve(path)) }, pipelineDigest })
}

/** The first line of the error, and why in a few words. */
function reasonOf({ message, cause }: UnreachableModel): string {
  const [what = ''] = message.split(/:?\n/)
  return cause instanceof Error ? `${what} (${cause.message})` : what
}
