import type { AnswerPart, Box, Mark } from '../../protocol/messages.ts'
import type { Pipeline } from '../../protocol/pipeline.ts'
import { annotate } from '../vision/annotate.ts'
import { type DecodedImage, uprightSize, viewOf } from '../vision/decode.ts'
import { encodeImage } from '../vision/encode.ts'
import { mediaTypes } from '../vision/image-format.ts'
import type { LabelPainter } from '../vision/label-painter.ts'
import type { Raster } from '../vision/raster.ts'
import type { Stopwatch } from './stopwatch.ts'

/** Long edge of a preview, and of what is looked for things on. */
export const viewEdge = 2048

/** A part of an answer with its bytes. */
export interface Output {
  part: AnswerPart
  bytes: Uint8Array
}

/**
 * The annotated copy, or nothing where none is wanted.
 * @param view the image with its long edge at most viewEdge; it is drawn on
 * @param marks in pixels of the upright original
 */
export async function annotatedCopy(
  image: DecodedImage,
  view: Raster,
  marks: readonly Mark[],
  mode: Pipeline['annotate'],
  painter: LabelPainter,
  watch: Stopwatch,
): Promise<Output[]> {
  if (mode === 'none') return []
  const canvas = mode === 'full' ? await watch.time('viewMs', () => viewOf(image, Number.POSITIVE_INFINITY)) : view
  const { width, height } = uprightSize(image)
  const scaled = marks.map((mark) => ({
    ...mark,
    box: scaleBox(mark.box, canvas.width / width, canvas.height / height),
  }))
  await watch.time('annotateMs', () => annotate(canvas, scaled, painter))
  const bytes = await watch.time('encodeMs', () => encodeImage(canvas, image))
  return [{ part: { name: 'annotated', bytes: bytes.length, mediaType: mediaTypes[image.format] }, bytes }]
}

function scaleBox([x, y, width, height]: Box, across: number, down: number): Box {
  return [x * across, y * down, width * across, height * down]
}
