import { createHash } from 'node:crypto'
import { decodeGallery, encodeGallery } from '../../../src/matching/gallery.ts'
import { Matcher } from '../../../src/matching/match.ts'
import { galleryOf } from '../../../src/people/people.ts'
import { decodePeople, encodePeople } from '../../../src/people/people-file.ts'
import { peopleOf, person } from '../../helpers/people.ts'
import { below, mutate } from '../mutate.ts'
import { type Target, verdictOf } from '../target.ts'

const digestBytes = 32

/** Galleries as agents and workers get them, and files of people; what is taken has to be of use. */
export async function galleriesTarget(): Promise<Target> {
  const people = peopleOf(person('Zoë Ångström'), person('أمي'), person('小林 さくら'))
  const gallery = encodeGallery(galleryOf(people)!)
  const file = Buffer.from(encodePeople(people))
  return {
    one: (random) => {
      const kind = below(random, 3)
      if (kind === 0) return verdictOf(() => use(mutate(gallery, random)))
      if (kind === 1) return verdictOf(() => use(sealed(mutate(gallery.subarray(0, -digestBytes), random))))
      return verdictOf(() => {
        const found = galleryOf(decodePeople(mutate(file, random).toString(), 'people.ndjson'))
        if (found) use(encodeGallery(found))
      })
    },
    [Symbol.asyncDispose]: async () => {},
  }
}

function use(bytes: Buffer): void {
  const gallery = decodeGallery(bytes)
  new Matcher(gallery).match([new Float32Array(128).fill(Math.sqrt(1 / 128))], { threshold: 0.4, margin: 0.05 })
}

/** With a digest that fits. */
function sealed(content: Buffer): Buffer {
  return Buffer.concat([content, createHash('sha256').update(content).digest()])
}
