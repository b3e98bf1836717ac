// The same faces in the same upright places, however a photo is stored and whatever copy comes back.
import { readFileSync } from 'node:fs'
import { overlap } from '../../src/agent/vision/detection.ts'
import { facesPipeline, runFaces } from '../../test/helpers/faces.ts'
import { shared } from '../../test/helpers/shared.ts'
import { storedAs } from '../../test/helpers/stored-as.ts'
import { share } from './confidence.ts'
import type { Row } from './row.ts'

export const needs = ['ultraface-groups', 'azure-faces']

const photos = [
  ['ultraface-groups', '3.jpg'],
  ['ultraface-groups', '12.jpg'],
  ['ultraface-groups', '15.jpg'],
  ['azure-faces', 'identification1.jpg'],
]

export async function measureOrientations(): Promise<Row[]> {
  let [faces, same, extra, copies, alike] = [0, 0, 0, 0, 0]
  for (const path of photos) {
    const photo = readFileSync(shared('photos', ...path))
    const straight = await facesOf(await storedAs(photo, 1), 'none')
    for (let orientation = 1; orientation <= 8; orientation++) {
      const stored = await storedAs(photo, orientation)
      const found = await facesOf(stored, 'preview')
      faces += straight.length
      same += straight.filter(({ box }) => found.some((face) => overlap(face.box, box) > 0.9)).length
      extra += Math.max(0, found.length - straight.length)
      copies += 1
      if (JSON.stringify(found) === JSON.stringify(await facesOf(stored, 'full'))) alike += 1
    }
  }
  return [
    {
      name: 'faces in the same place (IoU 0.9) under the eight EXIF orientations',
      value: share(same, faces),
      floor: '100 %, none more',
      detail: `${same} of ${faces} on ${photos.length} photos, ${extra} more`,
    },
    { name: 'answers that are the same for preview and full copies', value: share(alike, copies), floor: '100 %' },
  ]
}

async function facesOf(bytes: Uint8Array, annotate: 'none' | 'preview' | 'full') {
  return (await runFaces(bytes, facesPipeline('yunet-s-dynamic', { annotate }))).answer.faces
}
