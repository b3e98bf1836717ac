// `node tools/train/faces.ts OUT DETECTOR.onnx KIND:FOLDER…`: the aligned faces of pictures, cut as cpn cuts them.
//
// OUT/crops.u8 gets 112×112 RGB bytes a face, OUT/faces.jsonl a line for each. KIND is `people` (a folder for each person,
// the face closest to a photo's middle), `crowd` (every face of every photo), `crowd-even` (every other photo by name) or
// `drawn` (what draw.ts wrote: PERSON-INDEX.jpg, the face closest to the middle).
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { alignedFaces, openDetector } from './aligned-faces.ts'

/** Smaller faces, in pixels, show too little. */
const smallestEdge = 20

const [out, detectorFile, ...sets] = process.argv.slice(2)
const isSet = (set: string) => /^(people|crowd|crowd-even|drawn):./.test(set)
if (out === undefined || detectorFile === undefined || sets.length === 0 || !sets.every(isSet)) {
  console.error(
    'usage: npx node tools/train/faces.ts OUT DETECTOR.onnx KIND:FOLDER…, KIND: people, crowd, crowd-even, drawn',
  )
  process.exit(2)
}
const detector = await openDetector(detectorFile)
mkdirSync(out, { recursive: true })
// What the teacher said of other faces.
rmSync(join(out, 'crops.f32'), { force: true })
const crops = openSync(join(out, 'crops.u8'), 'w')
const lines = openSync(join(out, 'faces.jsonl'), 'w')
let count = 0
for (const set of sets) {
  const [kind, folder] = set.split(/:(.*)/s) as [string, string]
  for (const file of photosOf(kind, folder)) {
    const person = personOn(kind, file)
    const faces = (await alignedFaces(readFileSync(file), detector)).filter(({ edge }) => edge >= smallestEdge)
    for (const { crop, edge } of person === null ? faces : faces.slice(0, 1)) {
      writeSync(crops, crop.data)
      writeSync(lines, `${JSON.stringify({ file: basename(file), person, edge: Math.round(edge) })}\n`)
      count++
    }
  }
}
closeSync(crops)
closeSync(lines)
console.log(`${count} faces`)

function photosOf(kind: string, folder: string): string[] {
  const images = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(jpe?g|png)$/i.test(file))
    .sort()
    .map((file) => join(folder, file))
  return kind === 'crowd-even' ? images.filter((_, i) => i % 2 === 0) : images
}

/** Whom the face closest to the middle shows; null where every face counts and nobody knows who it is. */
function personOn(kind: string, file: string): string | null {
  if (kind === 'people') return basename(dirname(file))
  return kind === 'drawn' ? basename(file).split('-')[0]! : null
}
