import type { Mark } from '../../protocol/messages.ts'
import { type Colour, fillRectangle, type Mask, paintMask, strokeBox } from './draw.ts'
import type { LabelPainter } from './label-painter.ts'
import type { Raster } from './raster.ts'

const colours: Record<Mark['kind'], Colour> = { found: [0, 230, 118], unknown: [255, 214, 0], caption: [0, 230, 118] }
const textColour: Colour = [0, 0, 0]
/** Few sizes, so that rendered labels are found again. */
const fontSizes = [11, 13, 16, 20, 26, 32, 40, 50, 64, 80, 100, 128, 160, 200]

/** Draws boxes, in pixels of the raster, and then their labels, in sizes that suit the picture's. */
export async function annotate(raster: Raster, marks: Mark[], painter: LabelPainter): Promise<void> {
  const edge = Math.max(raster.width, raster.height)
  const lineWidth = Math.max(1, Math.round(edge / 400))
  const fontSize = fontSizes.findLast((size) => size <= edge / 60) ?? fontSizes[0]!
  const pad = Math.ceil(fontSize / 4)
  for (const { box, kind } of marks) {
    if (kind !== 'caption') strokeBox(raster, box, lineWidth, colours[kind])
  }
  for (const mark of marks) {
    if (mark.label === '') continue
    drawLabel(raster, mark, await painter.mask(mark.label, fontSize, raster.width - 2 * pad), pad)
  }
}

/** On top of the box, or within it where the picture ends; left out where a picture is too small for it. */
function drawLabel(raster: Raster, { box, kind }: Mark, text: Mask, pad: number): void {
  const width = text.width + 2 * pad
  const height = text.height + 2 * pad
  if (width > raster.width || height > raster.height) return
  const left = Math.min(raster.width - width, Math.max(0, Math.round(box[0])))
  const above = Math.round(box[1]) - height
  const top = above >= 0 ? above : Math.min(raster.height - height, Math.max(0, Math.round(box[1])))
  fillRectangle(raster, left, top, left + width, top + height, colours[kind])
  paintMask(raster, text, left + pad, top + pad, textColour)
}
