import { readdirSync, readFileSync } from 'node:fs'
import type { Detector } from '../../src/agent/families/family.ts'
import type { Raster } from '../../src/agent/vision/raster.ts'
import { drawPortrait } from '../../src/drawing/scene.ts'
import { seededRandom } from '../../test/helpers/embeddings.ts'
import { lfwPairs } from '../../test/helpers/lfw.ts'
import { shared } from '../../test/helpers/shared.ts'
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
  const cropOf = (file: string) =>
    known.getOrInsertComputed(file, async () => (await alignedFaces(readFileSync(file), detector))[0]?.crop)
  const pairs: FacePair[] = []
  for (const [i, { files, same }] of lfwPairs().entries()) {
    pairs.push({ crops: [await cropOf(files[0]), await cropOf(files[1])], same, group: String(i) })
  }
  return [pairs.slice(0, pairs.length / 2), pairs.slice(pairs.length / 2)]
}

/** Ten people in colour, ten photos each. */
export async function colourHalves(detector: Detector): Promise<Halves> {
  const folder = shared('photos', 'lfw-color-10x10')
  const people: Person[] = []
  for (const name of readdirSync(folder).sort()) {
    const crops: (Raster | undefined)[] = []
    for (const file of readdirSync(`${folder}/${name}`).sort()) {
      crops.push((await alignedFaces(readFileSync(`${folder}/${name}/${file}`), detector))[0]?.crop)
    }
    people.push({ name, crops })
  }
  return crossed(people)
}

/** Drawn people in other poses, moods, light and places on each portrait. */
export async function drawnHalves(detector: Detector): Promise<Halves> {
  const people: Person[] = []
  for (let person = firstHeldOut; person < firstHeldOut + drawnPeople; person++) {
    const crops: (Raster | undefined)[] = []
    for (let i = 0; i < portraitsEach; i++) {
      crops.push((await alignedFaces((await drawPortrait(person, i)).jpeg, detector))[0]?.crop)
    }
    people.push({ name: String(person), crops })
  }
  return crossed(people)
}

interface Person {
  name: string
  crops: (Raster | undefined)[]
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
