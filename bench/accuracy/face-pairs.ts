import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Detector } from '../../src/agent/families/family.ts'
import type { Raster } from '../../src/agent/vision/raster.ts'
import { seededRandom } from '../../test/helpers/embeddings.ts'
import { lfwPairs } from '../../test/helpers/lfw.ts'
import { repositoryRoot, shared } from '../../test/helpers/shared.ts'
import { tempFolder } from '../../test/helpers/temp-folder.ts'
import { alignedFaces } from '../../tools/train/aligned-faces.ts'

/** People of these numbers were drawn for no training. */
const firstHeldOut = 1_000_000
const drawnPeople = 100
const portraitsEach = 6

/** Two aligned faces, nothing for one that was not found. */
export interface FacePair {
  crops: [Raster | undefined, Raster | undefined]
  same: boolean
  /** Pairs of one group are not independent of each other. */
  group: string
}

/** Pairs in two halves that share no person: the threshold for one can be chosen on the other. */
export type Halves = [FacePair[], FacePair[]]

/** Folds 1 and 2 of LFW's view 2. */
export async function lfwHalves(detector: Detector): Promise<Halves> {
  const known = new Map<string, Promise<Raster | undefined>>()
  const cropOf = (file: string) => known.getOrInsertComputed(file, () => middleFace(file, detector))
  const pairs: FacePair[] = []
  for (const [i, { files, same }] of lfwPairs().entries()) {
    pairs.push({ crops: [await cropOf(files[0]), await cropOf(files[1])], same, group: String(i) })
  }
  return [pairs.slice(0, pairs.length / 2), pairs.slice(pairs.length / 2)]
}

/** Everybody of these folds with all photos that the pairs are made of. */
export async function lfwPeople(detector: Detector): Promise<Person[]> {
  const files = new Set(lfwPairs().flatMap((pair) => pair.files))
  const people = new Map<string, Person>()
  for (const file of [...files].sort()) {
    const name = basename(dirname(file))
    people.getOrInsertComputed(name, () => ({ name, crops: [] })).crops.push(await middleFace(file, detector))
  }
  return [...people.values()]
}

/** Of ten people in colour, ten photos each, those whose photos nothing was learned from. */
export async function colourHalves(detector: Detector): Promise<Halves> {
  const folder = shared('photos', 'lfw-color-10x10')
  const people: Person[] = []
  const learned = new Set(readdirSync(shared('photos', 'lfw-a-train')))
  for (const name of readdirSync(folder).sort()) {
    if (learned.has(name)) continue
    const crops: (Raster | undefined)[] = []
    for (const file of readdirSync(join(folder, name)).sort()) {
      crops.push(await middleFace(join(folder, name, file), detector))
    }
    people.push({ name, crops })
  }
  return crossed(people)
}

/** Drawn people in other poses, moods, light and places on each portrait. */
export async function drawnHalves(detector: Detector): Promise<Halves> {
  using folder = tempFolder()
  // In a process of its own: where photographs are decoded, drawings are not.
  const options = { people: drawnPeople, portraits: portraitsEach, 'first-person': firstHeldOut }
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  await promisify(execFile)(process.execPath, [
    join(repositoryRoot, 'tools', 'train', 'draw.ts'),
    folder.path,
    ...flags,
  ])
  const portraits = join(folder.path, 'portraits')
  const people = new Map<string, Person>()
  for (const file of readdirSync(portraits).sort()) {
    const name = file.split('-')[0]!
    const { crops } = people.getOrInsertComputed(name, () => ({ name, crops: [] }))
    crops.push(await middleFace(join(portraits, file), detector))
  }
  return crossed([...people.values()])
}

export interface Person {
  name: string
  crops: (Raster | undefined)[]
}

async function middleFace(file: string, detector: Detector): Promise<Raster | undefined> {
  return (await alignedFaces(readFileSync(file), detector))[0]?.crop
}

/** Every pair of a person's photos, and as many of one of theirs with one of somebody else's. */
function crossed(people: Person[]): Halves {
  const random = seededRandom(1)
  const anyOf = <T>(items: T[]): T => items[Math.floor(random() * items.length)]!
  const middle = Math.ceil(people.length / 2)
  const pairsOf = (half: Person[]) =>
    half.flatMap((person) => {
      const others = half.filter((other) => other !== person)
      const photos = person.crops.flatMap((first, i) =>
        person.crops.slice(i + 1).map((second) => [first, second] as const),
      )
      return photos.flatMap(([first, second]): FacePair[] => [
        { crops: [first, second], same: true, group: person.name },
        { crops: [first, anyOf(anyOf(others).crops)], same: false, group: person.name },
      ])
    })
  return [pairsOf(people.slice(0, middle)), pairsOf(people.slice(middle))]
}
