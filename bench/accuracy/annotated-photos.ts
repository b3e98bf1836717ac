import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Box, dlibFaces, vocFaces } from '../../test/helpers/ground-truth.ts'
import { shared } from '../../test/helpers/shared.ts'

export interface AnnotatedPhoto {
  file: string
  faces: Box[]
}

export function dlibPhotos(): AnnotatedPhoto[] {
  const folder = shared('photos', 'dlib-faces')
  const faces = dlibFaces(join(folder, 'training.xml'), join(folder, 'testing.xml'))
  return [...faces].map(([name, boxes]) => ({ file: join(folder, name), faces: boxes }))
}

export function facemaskPhotos(): AnnotatedPhoto[] {
  const [images, annotations] = ['images', 'annotations'].map((name) => shared('photos', 'facemask-voc', name))
  return photosOf(images!, annotations!)
}

/** Every other photo by name, from the first on: what the lite detector has learned from. */
export const facemaskLearned = (): AnnotatedPhoto[] => everyOther(0)

/** The rest. */
export const facemaskHeldOut = (): AnnotatedPhoto[] => everyOther(1)

function everyOther(first: 0 | 1): AnnotatedPhoto[] {
  const sorted = facemaskPhotos().sort((a, b) => (a.file < b.file ? -1 : 1))
  return sorted.filter((_, index) => index % 2 === first)
}

export function widerPhotos(): AnnotatedPhoto[] {
  const folder = shared('photos', 'wider-sample')
  return photosOf(folder, folder)
}

/** Photos that have an annotation of the same name. */
function photosOf(images: string, annotations: string): AnnotatedPhoto[] {
  const names = readdirSync(annotations).filter((name) => name.endsWith('.xml'))
  const stem = (name: string) => name.replace(/\.\w+$/, '')
  return readdirSync(images)
    .filter((name) => !name.endsWith('.xml') && names.includes(`${stem(name)}.xml`))
    .map((name) => ({ file: join(images, name), faces: vocFaces(join(annotations, `${stem(name)}.xml`)) }))
}
