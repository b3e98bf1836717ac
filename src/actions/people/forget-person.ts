import { existsSync } from 'node:fs'
import type { Context } from '../../common/context.ts'
import { toCpnError } from '../../common/errors.ts'
import type { Inventory } from '../../inventory/inventory.ts'
import { openState, type State } from '../../inventory/state.ts'
import { likenessTo } from '../../people/judge-photo.ts'
import type { People, Person } from '../../people/people.ts'
import { PeopleStore } from '../../people/people-store.ts'
import { nameKey } from '../../people/person-name.ts'
import { buriedOn, bury } from '../../people/tombstones.ts'
import type { NamedFace } from '../../runs/job-record.ts'
import { type Ledger, openLedger, type RunRecord } from '../../runs/ledger.ts'
import { openFleet } from '../open-fleet.ts'
import { removeTrials } from '../plan/trial-writer.ts'
import { applyToRun, type FacesRunOptions, manifestOf } from './apply-people.ts'
import { removeFromExport } from './exchange-people.ts'
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
}

/**
 * Forgets somebody: enrolment and its older versions, exports, embeddings and crops of their faces in every run, names in
 * results, galleries in nodes' memory. What cannot be reached is listed; one that is interrupted is done by the same command
 * again. Rejects with CPN_ERR_PERSON_UNKNOWN before anything is changed, and with CPN_ERR_GALLERY_DAMAGED.
 */
export async function forgetPerson(
  options: { inventory: Inventory; name: string; hosts: string[] },
  ctx: Context,
): Promise<ForgottenPerson> {
  const { inventory, hosts } = options
  const state = await openState(inventory.stateDir)
  const store = new PeopleStore(state.peopleDir)
  const enrolled = await store.read()
  const person = requirePerson(enrolled, options.name)
  const people = without(enrolled, person)
  await bury(state.peopleDir, await nodesOf(inventory, state))
  const result: ForgottenPerson = {
    name: person.name,
    photos: person.photos.length,
    versions: 0,
    runs: [],
    exports: [],
    nodes: { cleared: [], away: [] },
    left: [],
  }
  await forgetInExports(store, person, result)
  await removeTrials(state.plansDir, 0)
  if (existsSync(state.ledgerFile)) {
    const likeness = likenessOf(await manifestOf(enrolled.model!, state, ctx))
    await forgetInRuns(person, people, { inventory, hosts, state, likeness }, result, ctx)
  }
  // Last: what is interrupted before can be said again, for the person is known still.
  await store.update((before) => without(before, person))
  result.versions = (await store.forgetVersions()).length
  await clearNodes({ inventory, state }, result, ctx)
  return result
}

/** The model goes with the last of its people. */
function without(people: People, person: Person): People {
  const others = people.people.filter(({ name }) => nameKey(name) !== nameKey(person.name))
  return { ...people, people: others, model: others.length > 0 ? people.model : undefined }
}

async function forgetInExports(store: PeopleStore, { name }: Person, result: ForgottenPerson): Promise<void> {
  for (const file of await store.exports()) {
    if (await removeFromExport(file, name)) result.exports.push(file)
    else
      result.left.push(
        `${file}: an export, which is not there any more or cannot be written; copies of it are not known`,
      )
  }
}

interface Place {
  inventory: Inventory
  hosts: string[]
  state: State
  /** Cosine from which a face that is nobody else's may be the person: it is forgotten, too. */
  likeness: number
}

async function forgetInRuns(
  person: Person,
  people: People,
  place: Place,
  result: ForgottenPerson,
  ctx: Context,
): Promise<void> {
  using ledger = openLedger(place.state.ledgerFile)
  const others = new Set(people.people.map(({ name }) => name))
  const forget = (face: NamedFace, embedding: Float32Array) => isTheirs(person, others, face, embedding, place.likeness)
  for (const run of ledger.runs().filter(hasEmbeddings)) {
    try {
      await forgetInRun(run, { ...place, people, ledger, threshold: undefined, forget }, result, ctx)
    } catch (error) {
      ctx.signal.throwIfAborted()
      result.left.push(`run ${run.id}, ${run.out}: ${toCpnError(error).message}`)
    }
  }
  // What was overwritten must not stay in pages that nothing uses.
  ledger.shrink()
}

async function forgetInRun(
  run: RunRecord,
  parts: Parameters<typeof applyToRun>[1],
  result: ForgottenPerson,
  ctx: Context,
): Promise<void> {
  if (!concerns(run, parts.ledger, parts.forget!)) return
  const isLast = parts.ledger.lastRunOf(run.out)?.id === run.id
  const outputs = isLast && existsSync(run.out)
  const { changed, redrawn, left, unwritten } = await applyToRun(run, { ...parts, outputs }, ctx)
  result.runs.push({ run: run.id, photos: changed, redrawn })
  for (const { path, reason } of left) result.left.push(`${run.out}/${path} still shows the name: ${reason}`)
  result.left.push(...unwritten)
  const { out, id, options } = run
  if (!outputs && isLast) result.left.push(`${out}: the results of run ${id} are not there; copies are not known`)
  if (!outputs && !isLast)
    result.left.push(`${out}: a later run writes there; look for what run ${id} left in its people/`)
  const { results } = options as unknown as FacesRunOptions
  if (results?.metadataWritten) {
    result.left.push(
      `photos under ${options.paths.join(', ')} have names in them: cpn predict --write-metadata takes them out`,
    )
  }
  if (results?.formats?.includes('xmp') && !outputs) result.left.push(`sidecars that run ${id} wrote`)
}

const hasEmbeddings = ({ options }: RunRecord) => (options as Partial<FacesRunOptions>).pipeline?.embedder !== undefined

function concerns({ id }: RunRecord, ledger: Ledger, forget: (face: NamedFace, embedding: Float32Array) => boolean) {
  for (let after = ''; ; ) {
    const page = ledger.embeddedJobs(id, after, 200)
    if (page.length === 0) return false
    if (page.some(({ faces, embeddings }) => faces.some((face, i) => forget(face, embeddings[i]!)))) return true
    after = page.at(-1)!.job
  }
}

/** Named so, or like them and nobody else who is enrolled: they may have had another name then. */
function isTheirs(
  person: Person,
  others: Set<string>,
  { person: name }: NamedFace,
  embedding: Float32Array,
  likeness: number,
): boolean {
  if (name === person.name) return true
  return !others.has(name ?? '') && likenessTo(person, embedding) >= likeness
}

async function clearNodes(
  { inventory, state }: Pick<Place, 'inventory' | 'state'>,
  { nodes }: ForgottenPerson,
  ctx: Context,
): Promise<void> {
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
