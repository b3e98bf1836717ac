import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Dice } from '../drawing/dice.ts'
import { type DrawnPhoto, drawGroup, drawPortrait } from '../drawing/scene.ts'
import type { Box } from '../protocol/messages.ts'

/**
 * Who is on the photos: people that cpn draws, the first of their numbers, whether they are easily told apart or not. A number
 * is the same person at any time; no model has learned these.
 */
const enrolled = {
  'Ada Lovelace': 7_000_001,
  'Björn Åkesson': 7_000_002,
  'Chiyo Tanaka': 7_000_003,
  'Dinesh Rao': 7_000_004,
  'Esi Mensah': 7_000_005,
  'Farid Haddad': 7_000_006,
}
const strangers = [7_000_007, 7_000_008, 7_000_009]

export const names = Object.keys(enrolled)
export const photoCount = 60
const portraitsEach = 5
/** Pixels, in which a face is as large as enrolling wants it. */
const portrait = { width: 360, height: 420 }
const seed = 2026

/** A face of a photo: where it is and whose, null for somebody who is not enrolled. */
export interface TrueFace {
  box: Box
  person: string | null
}

/** What is on each photo, by its file's name. It stays in this process. */
export type Truth = ReadonlyMap<string, TrueFace[]>

/** Where the portraits of somebody are, below the folder of people. */
export const portraitsOf = (name: string): string =>
  name
    .normalize('NFD')
    .replace(/\p{M}| .*/gu, '')
    .toLowerCase()

/** Draws portraits to enrol people by, in a folder for each. */
export async function drawPortraits(folder: string, signal: AbortSignal): Promise<void> {
  for (const [name, person] of Object.entries(enrolled)) {
    const own = join(folder, portraitsOf(name))
    await mkdir(own, { recursive: true })
    for (let index = 1; index <= portraitsEach; index++) {
      signal.throwIfAborted()
      const { jpeg } = await drawPortrait(person, seed + index, portrait.width, portrait.height)
      await writeFile(join(own, `${index}.jpg`), jpeg)
    }
  }
}

/** Draws photos of groups. */
export async function drawPhotos(folder: string, signal: AbortSignal): Promise<Truth> {
  await mkdir(folder, { recursive: true })
  const truth = new Map<string, TrueFace[]>()
  const everybody = [...Object.values(enrolled), ...strangers]
  const indices = Array.from({ length: photoCount }, (_, index) => index + 1).values()
  // While one is encoded elsewhere the next is drawn.
  const draw = async () => {
    for (const index of indices) {
      signal.throwIfAborted()
      const dice = new Dice(seed, index)
      const group = dice.shuffled(everybody).slice(0, dice.integer(2, 6))
      const photo = await drawGroup(group, seed + index)
      const name = `${String(index).padStart(2, '0')}.jpg`
      await writeFile(join(folder, name), photo.jpeg)
      truth.set(name, truthOf(photo))
    }
  }
  await Promise.all([draw(), draw()])
  return truth
}

function truthOf({ faces }: DrawnPhoto): TrueFace[] {
  const nameOf = new Map(Object.entries(enrolled).map(([name, person]) => [person, name]))
  return faces.map(({ box, person }) => ({ box, person: nameOf.get(person) ?? null }))
}
