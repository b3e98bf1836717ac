import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { embed } from '../../test/helpers/lfw.ts'
import { shared } from '../../test/helpers/shared.ts'

export const embedder = 'mobilefacenet-112'

/** A person and the faces in the middle of their photos. */
export interface Person {
  name: string
  faces: Float32Array[]
}

const known = new Map<string, Promise<Person[]>>()

/** The people of a shared set that has a folder for each. Photos without a face that is found are left out. */
export function peopleOf(set: 'lfw-color-10x10' | 'lfw-a-train'): Promise<Person[]> {
  return known.getOrInsertComputed(set, async () => {
    const people: Person[] = []
    for (const name of readdirSync(shared('photos', set)).sort()) {
      const folder = shared('photos', set, name)
      const faces = await embedAll(imagesIn(folder).map((file) => join(folder, file)))
      if (faces.length > 0) people.push({ name, faces })
    }
    return people
  })
}

/** The people of azure-faces: files are called by family, person and number. */
export async function azurePeople(): Promise<Person[]> {
  const folder = shared('photos', 'azure-faces')
  const files = imagesIn(folder).filter((file) => file.startsWith('Family'))
  const groups = Map.groupBy(files, (file) => basename(file).replace(/\d+\.jpg$/, ''))
  const people: Person[] = []
  for (const [name, photos] of groups) {
    people.push({ name, faces: await embedAll(photos.map((file) => join(folder, file))) })
  }
  return people
}

async function embedAll(files: string[]): Promise<Float32Array[]> {
  const faces: Float32Array[] = []
  for (const file of files) {
    const face = await embed(file, embedder)
    if (face.length > 0) faces.push(face)
  }
  return faces
}

function imagesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.jpg'))
    .sort()
}
