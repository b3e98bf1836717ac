import type { NamedFace } from '../runs/job-record.ts'
import { likenessTo } from './judge-photo.ts'
import type { EnrolledPhoto, People, Person } from './people.ts'
import { nameKey } from './person-name.ts'

/** Somebody who is to be forgotten: by what anything that is kept is known to be about them. */
export interface WantedTraces {
  name: string
  /** Names that they have or had, and nobody else has; by their keys. */
  names: ReadonlyMap<string, string>
  /** Keys of the names of everybody else. */
  others: ReadonlySet<string>
  /** Photos they were enrolled by, once for each model that embedded them. */
  galleries: readonly Gallery[]
}

interface Gallery {
  model: NonNullable<People['model']>
  photos: ReadonlyMap<string, EnrolledPhoto>
}

const keyOf = ({ sha256, face }: Pick<EnrolledPhoto, 'sha256' | 'face'>) => `${sha256} ${face}`

/**
 * Looks for somebody in all galleries that there are: who was removed, renamed or enrolled for another model is in older
 * ones. Photos that belong to somebody else by now are theirs.
 * @param now who is enrolled
 * @param kept older versions, exports, and what an earlier try has kept
 */
export function wantedTraces(name: string, now: People, kept: readonly People[]): WantedTraces {
  const key = nameKey(name.normalize('NFC').trim())
  const isNamed = (person: Person) => nameKey(person.name) === key
  const all = [now, ...kept]
  const galleries = new Map<string, { model: Gallery['model']; photos: Map<string, EnrolledPhoto> }>()
  for (const { model, people } of all) {
    for (const photo of people.filter(isNamed).flatMap(({ photos }) => photos)) {
      if (ownerOf(photo, model, now, isNamed)) continue
      galleries
        .getOrInsertComputed(model!.sha256, () => ({ model: model!, photos: new Map() }))
        .photos.set(keyOf(photo), photo)
    }
  }
  const wanted = { galleries: [...galleries.values()] }
  const enrolledElse = new Set(now.people.filter((person) => !isNamed(person)).map((person) => nameKey(person.name)))
  const everybody = all.flatMap(({ model, people }) => people.map((person) => ({ model, person })))
  const called = everybody.find(({ person }) => isNamed(person))?.person.name ?? name.normalize('NFC').trim()
  const names = new Map([[key, called]])
  for (const { model, person } of everybody) {
    const isTheirs = person.photos.length > 0 && person.photos.every((photo) => isPhotoOf(wanted, model, photo))
    if (isTheirs && !enrolledElse.has(nameKey(person.name))) names.set(nameKey(person.name), person.name)
  }
  const others = new Set(everybody.map(({ person }) => nameKey(person.name)).filter((each) => !names.has(each)))
  return { name: called, names, others, ...wanted }
}

/** Who somebody is by now whom older galleries know by that name; undefined where nobody else has their photos. */
export function nowCalled(name: string, now: People, kept: readonly People[]): string | undefined {
  const key = nameKey(name.normalize('NFC').trim())
  const isNamed = (person: Person) => nameKey(person.name) === key
  for (const { model, people } of kept) {
    for (const photo of people.filter(isNamed).flatMap(({ photos }) => photos)) {
      const owner = ownerOf(photo, model, now, isNamed)
      if (owner) return owner.name
    }
  }
  return undefined
}

/** Somebody else who is enrolled by a photo, and not the one who is looked for. */
function ownerOf(
  photo: EnrolledPhoto,
  model: People['model'],
  now: People,
  isNamed: (person: Person) => boolean,
): Person | undefined {
  if (model?.sha256 !== now.model?.sha256) return undefined
  const owners = now.people.filter(({ photos }) => photos.some((each) => keyOf(each) === keyOf(photo)))
  return owners.some(isNamed) ? undefined : owners[0]
}

const isPhotoOf = ({ galleries }: Pick<WantedTraces, 'galleries'>, model: People['model'], photo: EnrolledPhoto) =>
  galleries.some((gallery) => gallery.model.sha256 === model?.sha256 && gallery.photos.has(keyOf(photo)))

/** Everybody else; the same object where the one who is wanted is not among them. The model goes with the last. */
export function withoutWanted(people: People, wanted: WantedTraces): People {
  const others = people.people.flatMap((person) => {
    const photos = person.photos.filter((photo) => !isPhotoOf(wanted, people.model, photo))
    if (photos.length === 0 && (person.photos.length > 0 || wanted.names.has(nameKey(person.name)))) return []
    return photos.length === person.photos.length ? [person] : [{ ...person, photos }]
  })
  if (others.length === people.people.length && others.every((person, i) => person === people.people[i])) return people
  return { ...people, people: others, model: others.length > 0 ? people.model : undefined }
}

/** What is needed to look for them again, for each model. */
export function keptTraces({ names, galleries }: WantedTraces): People[] {
  return galleries.map(({ model, photos }) => ({
    version: 0,
    model,
    people: names
      .values()
      .map((name) => ({ name, photos: [...photos.values()] }))
      .toArray(),
  }))
}

/** What tells their faces in one run. */
export interface FaceTraces {
  isTheirs(face: NamedFace, embedding: Float32Array): boolean
  /** Whether anything about a face says who they are. */
  concerns(face: NamedFace, embedding: Float32Array): boolean
  /** The face as somebody who is not known, or without them among those who it may be. */
  without(face: NamedFace, embedding: Float32Array): NamedFace
}

/**
 * Faces that have one of their names, and those that are like them and have the name of nobody: they may have had another
 * one then.
 * @param model sha256 of the one that embedded the faces: photos of another are not compared with them
 * @param likeness cosine from which two faces may be of one person
 */
export function faceTraces(wanted: WantedTraces, model: string, likeness: number): FaceTraces {
  const photos = photosOf(wanted, model)
  const isName = (name: string) => wanted.names.has(nameKey(name))
  const isTheirs = ({ person }: NamedFace, embedding: Float32Array) => {
    if (person && isName(person)) return true
    if (person && wanted.others.has(nameKey(person))) return false
    return likenessTo({ name: wanted.name, photos }, embedding) >= likeness
  }
  return {
    isTheirs,
    concerns: (face, embedding) =>
      isTheirs(face, embedding) || face.candidates?.some(({ person }) => isName(person)) === true,
    without: ({ candidates, ...face }, embedding) => {
      if (isTheirs(face, embedding))
        return face.person === undefined ? face : { ...face, person: null, similarity: null }
      const others = candidates?.filter(({ person }) => !isName(person)) ?? []
      return others.length > 0 ? { ...face, candidates: others } : face
    },
  }
}

/** Photos by which a model knows them. */
export const photosOf = ({ galleries }: WantedTraces, model: string): EnrolledPhoto[] =>
  galleries.filter((gallery) => gallery.model.sha256 === model).flatMap(({ photos }) => [...photos.values()])
