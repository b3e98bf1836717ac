import { existsSync } from 'node:fs'
import type { Context } from '../../common/context.ts'
import { CpnError, toCpnError } from '../../common/errors.ts'
import type { Inventory } from '../../inventory/inventory.ts'
import { openState, type State } from '../../inventory/state.ts'
import { noPeople } from '../../people/people.ts'
import { PeopleStore } from '../../people/people-store.ts'
import { buriedOn, bury } from '../../people/tombstones.ts'
import {
  type FaceTraces,
  faceTraces,
  nowCalled,
  photosOf,
  type WantedTraces,
  wantedTraces,
} from '../../people/wanted-traces.ts'
import { type Ledger, openLedger, type RunRecord } from '../../runs/ledger.ts'
import { outOwners } from '../../runs/run-lock.ts'
import { openFleet } from '../open-fleet.ts'
import { removeTrials } from '../plan/trial-writer.ts'
import { applyToRun, type FacesRunOptions, manifestOf } from './apply-people.ts'
import { readExport, removeFromExport } from './exchange-people.ts'
import { likenessOf, requirePerson } from './people.ts'

export interface ForgottenPerson {
  name: string
  photos: number
  /** Older versions of the gallery, which are gone. */
  versions: number
  /** Runs in which faces were forgotten, and the pictures drawn anew there. */
  runs: { run: string; photos: number; redrawn: number }[]
  /** Exported files that do not have the person any more. */
  exports: string[]
  /** Nodes whose memory was cleared, and those that are told when they are back. */
  nodes: { cleared: string[]; away: string[] }
  /** What cpn could not reach, with the reason. */
  left: string[]
  /** What is left can still be reached: by the same command again. */
  again: boolean
}

/**
 * Forgets somebody: enrolment and its older versions, exports, embeddings and crops of their faces in every run, names in
 * results, galleries in nodes' memory. What cannot be reached is listed; one that is interrupted, or has `again`, is done by
 * the same command again, and so is one for somebody who was removed. Rejects with CPN_ERR_PERSON_UNKNOWN before anything is
 * changed, and with CPN_ERR_GALLERY_DAMAGED.
 */
export async function forgetPerson(
  options: { inventory: Inventory; name: string; hosts: string[] },
  ctx: Context,
): Promise<ForgottenPerson> {
  const { inventory, hosts } = options
  const state = await openState(inventory.stateDir)
  const store = new PeopleStore(state.peopleDir)
  using ledger = existsSync(state.ledgerFile) ? openLedger(state.ledgerFile) : undefined
  const wanted = await requireTraces(options.name, store, ledger)
  await bury(state.peopleDir, await nodesOf(inventory, state))
  // From here on who is interrupted can go on, and runs that begin do not know them.
  const { versions } = await store.forget(wanted)
  const result: ForgottenPerson = {
    name: wanted.name,
    photos: wanted.galleries.reduce((sum, { photos }) => sum + photos.size, 0),
    versions,
    runs: [],
    exports: [],
    nodes: { cleared: [], away: [] },
    left: [],
    again: false,
  }
  await forgetInExports(store, wanted, result)
  await removeTrials(state.plansDir, 0)
  const busy = tellBusy(state, result)
  if (ledger) await forgetInRuns(wanted, { inventory, hosts, state, ledger, busy }, result, ctx)
  await clearNodes({ inventory, state }, result, ctx)
  if (!result.again) await store.endForgetting(wanted)
  return result
}

/** Whoever is enrolled, was, or has a name in a run. */
async function requireTraces(name: string, store: PeopleStore, ledger: Ledger | undefined): Promise<WantedTraces> {
  const now = await store.read()
  const exported = await Promise.all((await store.exports()).map(readExport))
  const kept = [...(await store.older()), ...exported.filter((people) => people !== undefined)]
  const wanted = wantedTraces(name, now, kept)
  if (wanted.galleries.length > 0) return wanted
  const called = nowCalled(name, now, kept)
  if (called !== undefined) {
    throw new CpnError('CPN_ERR_PERSON_UNKNOWN', `${wanted.name} is called ${called} now`, {
      suggestions: [`If ${called} is to be forgotten: cpn people forget ${JSON.stringify(called)}`],
    })
  }
  if (!ledger?.runs().some((run) => hasEmbeddings(run) && concerns(run, ledger, faceTraces(wanted, '', 1))))
    requirePerson(now, name)
  return wanted
}

async function forgetInExports(store: PeopleStore, wanted: WantedTraces, result: ForgottenPerson): Promise<void> {
  for (const file of await store.exports()) {
    try {
      if (!(await readExport(file)))
        result.left.push(`${file}: an export, which is not there any more; copies of it are not known`)
      else if (await removeFromExport(file, wanted)) result.exports.push(file)
    } catch (error) {
      result.left.push(`${file}: an export; ${toCpnError(error).message}`)
      result.again = true
    }
  }
}

/** Who works on an OUT at this moment may have read the gallery before it changed, and has it to the end. */
function tellBusy({ locksDir, pipelinesDir }: State, result: ForgottenPerson): Set<string | undefined> {
  const busy = outOwners(locksDir).filter(({ out }) => out !== pipelinesDir)
  for (const { pid, host, out = 'a folder' } of busy) {
    result.left.push(`${out}: process ${pid} on ${host} works there, and its nodes may know them until it is done`)
    result.again = true
  }
  return new Set(busy.map(({ out }) => out))
}

interface Place {
  inventory: Inventory
  hosts: string[]
  state: State
  ledger: Ledger
  /** OUTs that somebody works on. */
  busy: ReadonlySet<string | undefined>
}

async function forgetInRuns(wanted: WantedTraces, place: Place, result: ForgottenPerson, ctx: Context): Promise<void> {
  const { ledger, busy } = place
  for (const run of ledger.runs().filter(hasEmbeddings)) {
    if (busy.has(run.out)) continue
    try {
      await forgetInRun(run, wanted, place, result, ctx)
    } catch (error) {
      ctx.signal.throwIfAborted()
      result.left.push(`run ${run.id}, ${run.out}: ${toCpnError(error).message}`)
      result.again = true
    }
  }
  // What was overwritten must not stay in pages that nothing uses.
  ledger.shrink()
}

async function forgetInRun(
  run: RunRecord,
  wanted: WantedTraces,
  { inventory, hosts, state, ledger }: Place,
  result: ForgottenPerson,
  ctx: Context,
): Promise<void> {
  const { out, id, options } = run
  const { results, pipeline } = options as unknown as FacesRunOptions
  const model = pipeline.embedder!.model
  const forget = faceTraces(wanted, model.sha256, likenessOf(await manifestOf(model, state, ctx)))
  if (photosOf(wanted, model.sha256).length === 0 && ledger.embeddedJobs(id, '', 1).length > 0) {
    result.left.push(
      `run ${id}, ${out}: faces without a name, of which ${model.name} does not know whether they are theirs`,
    )
  }
  if (!concerns(run, ledger, forget)) return
  const isLast = ledger.lastRunOf(out)?.id === id
  const outputs = isLast && existsSync(out)
  const parts = { inventory, hosts, state, people: noPeople, ledger, threshold: undefined, forget, outputs }
  const { changed, redrawn, left, unwritten } = await applyToRun(run, parts, ctx)
  result.runs.push({ run: id, photos: changed, redrawn })
  for (const { path, reason } of left) result.left.push(`${out}/${path} still shows the name: ${reason}`)
  result.left.push(...unwritten.map((what) => `${what}; when it can be written: cpn people apply --run ${id}`))
  if (!outputs && isLast) result.left.push(`${out}: the results of run ${id} are not there; copies are not known`)
  if (!outputs && !isLast)
    result.left.push(`${out}: a later run writes there; look for what run ${id} left in its people/`)
  if (results?.metadataWritten) {
    result.left.push(
      `photos under ${options.paths.join(', ')} have names in them: cpn predict --write-metadata takes them out`,
    )
  }
  if (results?.formats?.includes('xmp') && !outputs) result.left.push(`sidecars that run ${id} wrote`)
}

const hasEmbeddings = ({ options }: RunRecord) => (options as Partial<FacesRunOptions>).pipeline?.embedder !== undefined

function concerns({ id }: RunRecord, ledger: Ledger, traces: FaceTraces): boolean {
  for (let after = ''; ; ) {
    const page = ledger.embeddedJobs(id, after, 200)
    if (page.length === 0) return false
    if (page.some(({ faces, embeddings }) => faces.some((face, i) => traces.concerns(face, embeddings[i]!))))
      return true
    after = page.at(-1)!.job
  }
}

async function clearNodes(
  { inventory, state }: Pick<Place, 'inventory' | 'state'>,
  { nodes }: ForgottenPerson,
  ctx: Context,
): Promise<void> {
  // Again: nodes that have drawn meanwhile were told, and may have got the gallery from a run that went on.
  await bury(state.peopleDir, await nodesOf(inventory, state))
  // A node that is reached is told before it gets anything else.
  await using fleet = await openFleet({ inventory, hosts: [], state, mayChange: false }, ctx)
  await fleet.settled(ctx.signal)
  nodes.away = await buriedOn(state.peopleDir)
  nodes.cleared = (await nodesOf(inventory, state)).filter((name) => !nodes.away.includes(name))
}

/** Hosts whose agent has ever answered: no other can have a gallery. */
async function nodesOf({ hosts }: Inventory, state: State): Promise<string[]> {
  const seen = await Promise.all(hosts.map(({ name }) => state.lastSeen(name)))
  return hosts.map(({ name }) => name).filter((_, index) => seen[index] !== undefined)
}
