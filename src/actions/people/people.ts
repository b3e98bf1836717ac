import { basename } from 'node:path'
import type { Context } from '../../common/context.ts'
import { CpnError } from '../../common/errors.ts'
import type { Inventory } from '../../inventory/inventory.ts'
import { didYouMean } from '../../inventory/nearest.ts'
import { openState, type State, statePaths } from '../../inventory/state.ts'
import { isEmbedded } from '../../models/embedded.ts'
import { judgePhoto, likenessTo, type SeenPhoto } from '../../people/judge-photo.ts'
import type { EnrolledPhoto, People, Person } from '../../people/people.ts'
import { PeopleStore } from '../../people/people-store.ts'
import { nameKey, personName } from '../../people/person-name.ts'
import type { ModelManifest } from '../../protocol/model.ts'
import type { NodeResult } from '../../scheduler/scheduler.ts'
import { choosePipeline } from '../models/choose-pipeline.ts'
import type { ResolvedPipeline } from '../models/resolve-pipeline.ts'
import { openFleet } from '../open-fleet.ts'
import { lookAt } from './look-at.ts'
import { type EmbedderFacts, otherModel } from './naming.ts'

export interface AddPersonOptions {
  inventory: Inventory
  name: string
  /** Files and folders. */
  paths: string[]
  /** Host patterns; empty means all. */
  hosts: string[]
  /** Takes photos that would be refused. */
  force: boolean
  /** Whose embedder is to know the person; default: that of the people there are. */
  pipeline?: 'persons' | 'persons-lite' | undefined
}

/** What became of one photo. */
export interface EnrolledFile {
  /** Absolute path. */
  path: string
  /** Why it was not taken; undefined when it was. */
  refused?: string
}

export interface AddPersonResult {
  name: string
  /** Photos that the person has now. */
  photos: number
  files: EnrolledFile[]
}

/**
 * Enrols somebody by photos that show nobody else: nodes find and embed the face. Photos that would name people wrongly
 * are refused, each with its reason. Where people are enrolled with another model than the pipeline's, everybody begins
 * anew after a question. Rejects with CPN_ERR_PERSON_NAME, CPN_ERR_INPUT_MISSING, CPN_ERR_GALLERY_*,
 * CPN_ERR_MODEL_*, CPN_ERR_NO_USABLE_HOST.
 */
export async function addPerson(options: AddPersonOptions, ctx: Context): Promise<AddPersonResult> {
  const { inventory, paths, hosts, force } = options
  const name = personName(options.name)
  const state = await openState(inventory.stateDir)
  const store = new PeopleStore(state.peopleDir)
  const before = await store.read()
  const resolved = await resolveEnrolment(state, options.pipeline, before, ctx)
  const embedder = resolved.embedder!
  const anew = options.pipeline !== undefined && isOfOther(before, embedder)
  if (anew) await agreeToBeginAnew(before, embedder, ctx)
  else assertModel(before, embedder)
  await using fleet = await openFleet({ inventory, hosts, state, models: resolved.models }, ctx)
  await fleet.usable(ctx.signal)
  const files: EnrolledFile[] = []
  const seen: { path: string; photo: SeenPhoto }[] = []
  for await (const { source, sha256, result } of lookAt(paths, fleet, resolved.pipeline, ctx)) {
    if (result instanceof CpnError) files.push({ path: source, refused: result.message })
    else seen.push({ path: source, photo: seenPhoto(source, sha256!, result) })
  }
  if (files.length + seen.length === 0) throw noPhotos(paths)
  // In the order of names: which photo is the first of somebody must not depend on which node was faster.
  seen.sort((a, b) => (a.path < b.path ? -1 : 1))
  const people = await store.update((now) => {
    const known = anew && isOfOther(now, embedder) ? { ...now, people: [] } : now
    if (known === now) assertModel(now, embedder)
    const { person, told } = enrol(known, name, seen, { likeness: likenessOf(embedder) }, force)
    files.push(...told)
    return person ? withPerson({ ...known, model: modelOf(embedder) }, person) : now
  })
  const photos = findPerson(people, name)?.photos.length ?? 0
  return { name, photos, files: files.sort((a, b) => (a.path < b.path ? -1 : 1)) }
}

/** Nobody can be added to people of another model: then that of persons has to be there. */
async function resolveEnrolment(
  state: State,
  pipeline: AddPersonOptions['pipeline'],
  people: People,
  ctx: Context,
): Promise<ResolvedPipeline> {
  const mayBeLite = pipeline === undefined && (people.model === undefined || isEmbedded(people.model))
  const options = { ...enrolment, pipelineName: pipeline ?? 'persons', mayBeLite }
  return (await choosePipeline(state, options, undefined, ctx)).resolved
}

const isOfOther = ({ model }: People, { sha256 }: EmbedderFacts) => model !== undefined && model.sha256 !== sha256

async function agreeToBeginAnew(people: People, embedder: EmbedderFacts, { prompter }: Context): Promise<void> {
  const { message } = otherModel(people, embedder)
  const names = people.people.map(({ name }) => name).join(', ')
  const question = `${message}. Begin anew? These would have to be added again: ${names}.`
  if (await prompter.confirm(question)) return
  throw new CpnError('CPN_ERR_DECLINED', 'nobody was added: everybody stays as they are')
}

const enrolment = {
  embeddings: true,
  thumbnails: false,
  annotate: 'none',
  maxPixels: 100_000_000,
} as const

function enrol(
  before: People,
  name: string,
  seen: { path: string; photo: SeenPhoto }[],
  limits: { likeness: number },
  force: boolean,
): { person: Person | undefined; told: EnrolledFile[] } {
  let own = findPerson(before, name)
  const others = before.people.filter((person) => person !== own)
  const told = seen.map(({ path, photo }): EnrolledFile => {
    const judgement = judgePhoto(photo, own, others, limits, force)
    if ('refused' in judgement) {
      return { path, refused: `${judgement.refused}${judgement.forcible ? ' (--force takes it)' : ''}` }
    }
    own = { name: own?.name ?? name, photos: [...(own?.photos ?? []), judgement.photo] }
    return { path }
  })
  return { person: own === findPerson(before, name) ? undefined : own, told }
}

function seenPhoto(source: string, sha256: string, result: NodeResult): SeenPhoto {
  const { answer, embeddings = [] } = result
  const faces = answer.faces.map((face, i) => ({ ...face, embedding: embeddings[i]! }))
  result.release?.()
  return { source: basename(source), sha256, faces }
}

/** A person as `cpn people list` shows them. */
export interface PersonInfo {
  name: string
  photos: number
  /** Lowest sharpness and smallest face among the photos. */
  sharpness: number
  facePixels: number
  /** Lowest similarity of a photo to the most similar other one; null with one photo. */
  agreement: number | null
  /** Who is most similar, and how much. */
  nearest: { name: string; similarity: number } | null
  added: string
}

export interface PeopleInfo {
  version: number
  model: string | null
  people: PersonInfo[]
}

export async function listPeople({ stateDir }: Inventory): Promise<PeopleInfo> {
  const people = await new PeopleStore(statePaths(stateDir).peopleDir).read()
  const { model } = people
  return {
    version: people.version,
    model: model ? `${model.name}@${model.version}` : null,
    people: people.people.map((person) => describe(person, people.people)),
  }
}

function describe(person: Person, all: readonly Person[]): PersonInfo {
  const { name, photos } = person
  const nearest = all
    .filter((other) => other !== person)
    .map((other) => ({ name: other.name, similarity: likeness(person, other) }))
    .sort((a, b) => b.similarity - a.similarity)[0]
  return {
    name,
    photos: photos.length,
    sharpness: Math.min(...photos.map(({ sharpness }) => sharpness)),
    facePixels: Math.min(...photos.map(({ facePixels }) => facePixels)),
    agreement: photos.length > 1 ? round(Math.min(...photos.map((photo) => agreement(photo, photos)))) : null,
    nearest: nearest ? { name: nearest.name, similarity: round(nearest.similarity) } : null,
    added: photos.map(({ added }) => added).sort()[0]!,
  }
}

const likeness = (one: Person, other: Person) =>
  Math.max(...one.photos.map(({ embedding }) => likenessTo(other, embedding)))

const agreement = (photo: EnrolledPhoto, photos: EnrolledPhoto[]) =>
  likenessTo({ name: '', photos: photos.filter((other) => other !== photo) }, photo.embedding)

const round = (value: number) => Math.round(value * 10_000) / 10_000

/** Rejects with CPN_ERR_PERSON_UNKNOWN. */
export async function removePerson({ stateDir }: Inventory, name: string): Promise<Person> {
  let removed: Person | undefined
  await new PeopleStore(statePaths(stateDir).peopleDir).update((people) => {
    removed = requirePerson(people, name)
    return { ...people, people: people.people.filter((person) => person !== removed) }
  })
  return removed!
}

/** Rejects with CPN_ERR_PERSON_UNKNOWN, CPN_ERR_PERSON_NAME, CPN_ERR_PERSON_EXISTS. */
export async function renamePerson({ stateDir }: Inventory, from: string, to: string): Promise<Person> {
  const name = personName(to)
  let renamed: Person | undefined
  await new PeopleStore(statePaths(stateDir).peopleDir).update((people) => {
    const person = requirePerson(people, from)
    const other = findPerson(people, name)
    if (other && other !== person) throw exists(other.name, from)
    renamed = { ...person, name }
    return withPerson({ ...people, people: people.people.filter((each) => each !== person) }, renamed)
  })
  return renamed!
}

/** `into` gets the photos of `from`, who is gone then. Rejects with CPN_ERR_PERSON_UNKNOWN. */
export async function mergePeople({ stateDir }: Inventory, from: string, into: string): Promise<Person> {
  let merged: Person | undefined
  await new PeopleStore(statePaths(stateDir).peopleDir).update((people) => {
    const [one, other] = [requirePerson(people, from), requirePerson(people, into)]
    if (one === other) return people
    const known = new Set(other.photos.map(({ sha256, face }) => `${sha256} ${face}`))
    const added = one.photos.filter(({ sha256, face }) => !known.has(`${sha256} ${face}`))
    merged = { ...other, photos: [...other.photos, ...added] }
    return withPerson({ ...people, people: people.people.filter((person) => person !== one) }, merged)
  })
  return merged ?? requirePerson(await new PeopleStore(statePaths(stateDir).peopleDir).read(), into)
}

/** The person of that name, however it is written. */
export function findPerson({ people }: People, name: string): Person | undefined {
  return people.find((person) => nameKey(person.name) === nameKey(name))
}

/** Throws CPN_ERR_PERSON_UNKNOWN with the nearest name. */
export function requirePerson(people: People, name: string): Person {
  const found = findPerson(people, name.normalize('NFC').trim())
  if (found) return found
  const names = people.people.map((person) => person.name)
  throw new CpnError('CPN_ERR_PERSON_UNKNOWN', `nobody called ${JSON.stringify(name)} is enrolled`, {
    suggestions: [didYouMean(name, names, 'See who is: cpn people list')],
  })
}

/** With a person instead of one of the same name, in the order of names. */
export function withPerson(people: People, person: Person): People {
  const others = people.people.filter(({ name }) => nameKey(name) !== nameKey(person.name))
  return { ...people, people: [...others, person].sort((a, b) => (a.name < b.name ? -1 : 1)) }
}

export function assertModel(people: People, embedder: EmbedderFacts): void {
  if (people.model && people.model.sha256 !== embedder.sha256) throw otherModel(people, embedder)
}

export const modelOf = ({ name, version, sha256 }: EmbedderFacts) => ({ name, version, sha256 })

/** Cosine from which two faces may be of one person. */
export const likenessOf = ({ thresholds: { verification = 0.3 } }: Pick<ModelManifest, 'thresholds'>) => verification

function exists(name: string, from: string): CpnError {
  return new CpnError('CPN_ERR_PERSON_EXISTS', `${name} is enrolled already`, {
    suggestions: [`If both are the same person: cpn people merge ${JSON.stringify(from)} ${JSON.stringify(name)}`],
  })
}

function noPhotos(paths: string[]): CpnError {
  return new CpnError('CPN_ERR_INPUT_MISSING', `there is no image in ${paths.join(', ')}`, {
    suggestions: ['Name photos of the person, or a folder with them.'],
  })
}
