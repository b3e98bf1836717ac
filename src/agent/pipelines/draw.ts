import type { Mark } from '../../protocol/messages.ts'
import type { DrawPipeline } from '../../protocol/pipeline.ts'
import { decodeImage, uprightSize, viewOf } from '../vision/decode.ts'
import type { LabelPainter } from '../vision/label-painter.ts'
import type { Scratch } from '../vision/scratch.ts'
import type { PipelineResult } from './faces.ts'
import { annotatedCopy, viewEdge } from './picture.ts'
import { Stopwatch } from './stopwatch.ts'

/** Draws what is known of an image already: the same marks give the same picture as when they were found. */
export async function drawMarks(
  bytes: Uint8Array,
  pipeline: DrawPipeline,
  marks: readonly Mark[],
  { painter, scratch }: { painter: LabelPainter; scratch: Scratch },
): Promise<PipelineResult> {
  const watch = new Stopwatch()
  const image = await watch.time('decodeMs', () => decodeImage(bytes, pipeline.maxPixels, scratch))
  const view = await watch.time('viewMs', () => viewOf(image, viewEdge))
  const outputs = await annotatedCopy(image, view, marks, pipeline.annotate, painter, watch)
  return {
    answer: {
      ...uprightSize(image),
      faces: [],
      parts: outputs.map(({ part }) => part),
      timings: watch.timings(),
    },
    parts: outputs.map(({ bytes }) => bytes),
  }
}
