// One process that finds, embeds, names and draws faces, against the sum of its parts measured one by one.
import { readdirSync, readFileSync } from 'node:fs'
import { ModelLoader } from '../../src/agent/model-loader.ts'
import { type FaceTools, predictFaces } from '../../src/agent/pipelines/faces.ts'
import { findFaces } from '../../src/agent/pipelines/find-faces.ts'
import { Photo } from '../../src/agent/pipelines/photo.ts'
import { viewEdge } from '../../src/agent/pipelines/picture.ts'
import { alignFace } from '../../src/agent/vision/align.ts'
import { annotate } from '../../src/agent/vision/annotate.ts'
import { decodeImage, uprightSize, viewOf } from '../../src/agent/vision/decode.ts'
import { encodeImage } from '../../src/agent/vision/encode.ts'
import { LabelPainter } from '../../src/agent/vision/label-painter.ts'
import { Scratch } from '../../src/agent/vision/scratch.ts'
import { sharpness } from '../../src/agent/vision/sharpness.ts'
import { markOf } from '../../src/matching/mark-of.ts'
import { Matcher } from '../../src/matching/match.ts'
import type { FacesPipeline } from '../../src/protocol/pipeline.ts'
import { joined, randomEmbedding, seededRandom } from '../../test/helpers/embeddings.ts'
import { facesPipeline, model, modelsFolder } from '../../test/helpers/faces.ts'
import { fontsFolder } from '../../test/helpers/fonts.ts'
import { shared } from '../../test/helpers/shared.ts'
import type { Report } from '../report.ts'

const rounds = Number(process.env.CPN_BENCH_ROUNDS ?? 5)
const people = 1000
const sets = ['azure-faces', 'lfw-color-10x10']
const parts = ['decode', 'view', 'detect', 'align + embed', 'match', 'annotate', 'encode'] as const
type Times = Record<(typeof parts)[number], number>

export async function measure(): Promise<Report> {
  const embedder = 'mobilefacenet-112'
  const pipeline = facesPipeline('yunet-s-dynamic', { embedder, annotate: 'preview' })
  const loader = new ModelLoader(modelsFolder(), 1)
  const { identification, margin } = model(embedder).thresholds
  const matching = { gallery: '0'.repeat(64), threshold: identification!, margin: margin! }
  const tools: FaceTools = {
    detector: await loader.detector(pipeline.detector.model),
    embedder: await loader.embedder(pipeline.embedder!.model),
    naming: { matcher: new Matcher(syntheticGallery(pipeline)), matching },
    painter: new LabelPainter(fontsFolder()),
    scratch: new Scratch(),
  }
  const report: Report = { title: `persons in one process, a gallery of ${people}`, rows: [], ratios: [], notes: [] }
  for (const set of sets) {
    const photos = photosOf(set)
    const taken = []
    let faces = 0
    // The first round is for the compiler.
    for (let round = 0; round <= rounds; round++) {
      const times = Object.fromEntries(parts.map((part) => [part, 0])) as Times
      let whole = 0
      faces = 0
      for (const photo of photos) {
        const start = performance.now()
        const { answer } = await predictFaces(photo, pipeline, tools)
        whole += performance.now() - start
        const found = await onePart(photo, pipeline, tools, times)
        if (found !== answer.faces.length) throw new Error(`not the same faces: ${found} and ${answer.faces.length}`)
        faces += found
      }
      if (round > 0) taken.push({ whole, times })
    }
    const sum = ({ times }: { times: Times }) => parts.reduce((total, part) => total + times[part], 0)
    for (const part of parts) {
      const values = taken.map(({ times }) => times[part] / photos.length)
      report.rows.push({ what: `${set}: ${part}`, unit: 'ms', values })
    }
    const perSecond = taken.map(({ whole }) => (photos.length / whole) * 1000)
    report.rows.push({ what: `${set}: the whole`, unit: 'images/s', values: perSecond })
    report.ratios.push({
      what: `${set}: rate of the whole / rate of the sum of its parts`,
      values: taken.map((round) => sum(round) / round.whole),
      floor: '≥ 0.85, goal ≥ 0.92',
    })
    report.notes.push(`${set}: ${photos.length} photos, ${faces} faces in both.`)
  }
  return report
}

/** Does to a photo what the pipeline does, and adds up what each part takes. */
async function onePart(bytes: Buffer, pipeline: FacesPipeline, tools: FaceTools, times: Times): Promise<number> {
  const time = async <T>(part: keyof Times, work: () => T | Promise<T>): Promise<T> => {
    const start = performance.now()
    const result = await work()
    times[part] += performance.now() - start
    return result
  }
  const image = await time('decode', () => decodeImage(bytes, pipeline.maxPixels, tools.scratch))
  const view = await time('view', () => viewOf(image, viewEdge))
  const photo = Photo.of(image, view)
  const faces = await time('detect', () => findFaces(photo, tools.detector, pipeline.detector))
  const vectors = await time('align + embed', async () => {
    const embedded: Float32Array[] = []
    for (const face of faces) {
      const crop = alignFace(await photo.full(), face)
      embedded.push(await tools.embedder!.embed(crop))
      sharpness(crop)
    }
    return embedded
  })
  const { matcher, matching } = tools.naming!
  const names = await time('match', () => matcher.match(vectors, matching))
  const scale = view.width / uprightSize(image).width
  const marks = faces
    .map((face, i) => markOf(face, names[i]))
    .map((mark) => ({ ...mark, box: mark.box.map((value) => value * scale) as typeof mark.box }))
  await time('annotate', () => annotate(view, marks, tools.painter))
  await time('encode', () => encodeImage(view, image))
  return faces.length
}

function syntheticGallery(pipeline: FacesPipeline) {
  const random = seededRandom(1)
  const names = Array.from({ length: people }, (_, i) => ({ name: `person ${i}`, count: 1 }))
  return {
    model: pipeline.embedder!.model.sha256,
    people: names,
    vectors: joined(names.map(() => randomEmbedding(random))),
  }
}

function photosOf(set: string): Buffer[] {
  const files = readdirSync(shared('photos', set), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.jpg'),
  )
  return files.map((file) => readFileSync(shared('photos', set, file)))
}
