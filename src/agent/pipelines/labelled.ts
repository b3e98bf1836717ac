import type { Mark, PredictAnswer } from '../../protocol/messages.ts'
import type { ClassifyPipeline, ObjectsPipeline } from '../../protocol/pipeline.ts'
import type { Classifier, ObjectDetector } from '../families/family.ts'
import { decodeImage, uprightSize, viewOf } from '../vision/decode.ts'
import { boxWithin, roundScore } from '../vision/detection.ts'
import type { LabelPainter } from '../vision/label-painter.ts'
import { flatten, type Raster } from '../vision/raster.ts'
import type { Scratch } from '../vision/scratch.ts'
import { thumbnailOf } from '../vision/thumbnails.ts'
import type { PipelineResult } from './faces.ts'
import { annotatedCopy, type Output, viewEdge } from './picture.ts'
import { Stopwatch } from './stopwatch.ts'

export interface LabelTools {
  /** Names of the model's classes, only to be drawn. */
  labels: readonly string[]
  painter: LabelPainter
  /** For the pixels of this one image. */
  scratch: Scratch
}

/** What a look at a picture brings: its part of the answer, and what is drawn. */
interface Seen {
  told: Pick<PredictAnswer, 'objects' | 'classes'>
  marks: Mark[]
}

/** @param size of the upright original, in whose pixels marks are */
type Look = (view: Raster, size: { width: number; height: number }) => Promise<Seen>

/** Finds the objects of an image and draws them with their labels. The image's bytes are not changed. */
export function predictObjects(
  bytes: Uint8Array,
  pipeline: ObjectsPipeline,
  detector: ObjectDetector,
  tools: LabelTools,
): Promise<PipelineResult> {
  return predictLabelled(bytes, pipeline, tools, async (view, { width, height }) => {
    const found = await detector.detect(view, pipeline.detector)
    const [across, down] = [width / view.width, height / view.height]
    const objects = found.map(({ class: index, box: [x, y, w, h], score }) => ({
      class: index,
      box: boxWithin([x * across, y * down, w * across, h * down], width, height),
      score: roundScore(score),
    }))
    const marks = objects.map((each): Mark => ({ box: each.box, label: labelOf(each, tools), kind: 'found' }))
    // Where a thing is taken for two, the likelier label is to be read.
    return { told: { objects }, marks: marks.reverse() }
  })
}

/** Says what an image as a whole shows; the likeliest label is written into its corner. The bytes are not changed. */
export function predictClasses(
  bytes: Uint8Array,
  pipeline: ClassifyPipeline,
  classifier: Classifier,
  tools: LabelTools,
): Promise<PipelineResult> {
  return predictLabelled(bytes, pipeline, tools, async (view) => {
    const found = await classifier.classify(view, pipeline.classifier.top)
    const classes = found.map((each) => ({ ...each, score: roundScore(each.score) }))
    const best = classes.slice(0, 1)
    return {
      told: { classes },
      marks: best.map((each): Mark => ({ box: [0, 0, 0, 0], label: labelOf(each, tools), kind: 'caption' })),
    }
  })
}

async function predictLabelled(
  bytes: Uint8Array,
  pipeline: ObjectsPipeline | ClassifyPipeline,
  { painter, scratch }: LabelTools,
  look: Look,
): Promise<PipelineResult> {
  const watch = new Stopwatch()
  const image = await watch.time('decodeMs', () => decodeImage(bytes, pipeline.maxPixels, scratch))
  const size = uprightSize(image)
  const view = await watch.time('viewMs', () => viewOf(image, viewEdge))
  const { told, marks } = await watch.time('detectMs', () => look(flatten(view), size))
  // Before anything is drawn on the view.
  const small = pipeline.thumbnails ? [await watch.time('thumbnailMs', () => thumbnail(view))] : []
  const drawn = await annotatedCopy(image, view, marks, pipeline.annotate, painter, watch)
  const outputs = [...drawn, ...small]
  return {
    answer: { ...size, faces: [], ...told, parts: outputs.map(({ part }) => part), timings: watch.timings() },
    parts: outputs.map(({ bytes }) => bytes),
  }
}

async function thumbnail(view: Raster): Promise<Output> {
  const bytes = await thumbnailOf(view)
  return { part: { name: 'thumbnail', bytes: bytes.length }, bytes }
}

const labelOf = ({ class: index, score }: { class: number; score: number }, { labels }: LabelTools) =>
  `${labels[index]} ${score.toFixed(2)}`
