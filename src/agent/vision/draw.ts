import type { Box } from '../../protocol/messages.ts'
import type { Raster } from './raster.ts'

export type Colour = readonly [red: number, green: number, blue: number]

/** How much of each pixel something covers, 0..255. */
export interface Mask {
  data: Uint8Array
  width: number
  height: number
}

/** Fills a rectangle of whole pixels; what lies outside the raster is left out. */
export function fillRectangle(
  raster: Raster,
  left: number,
  top: number,
  right: number,
  bottom: number,
  colour: Colour,
) {
  const { data, width, channels } = raster
  const firstX = Math.max(0, left)
  const lastX = Math.min(width, right)
  const lastY = Math.min(raster.height, bottom)
  for (let y = Math.max(0, top); y < lastY; y++) {
    let at = (y * width + firstX) * channels
    for (let x = firstX; x < lastX; x++, at += channels) {
      data[at] = colour[0]
      data[at + 1] = colour[1]
      data[at + 2] = colour[2]
      if (channels === 4) data[at + 3] = 255
    }
  }
}

/** Draws a box's outline, all of it inside the raster even where the box ends at its edge. */
export function strokeBox(raster: Raster, box: Box, lineWidth: number, colour: Colour): void {
  const half = Math.floor(lineWidth / 2)
  const left = Math.max(0, Math.round(box[0]) - half)
  const top = Math.max(0, Math.round(box[1]) - half)
  const right = Math.min(raster.width, Math.max(Math.round(box[0] + box[2]) + half, left + lineWidth))
  const bottom = Math.min(raster.height, Math.max(Math.round(box[1] + box[3]) + half, top + lineWidth))
  fillRectangle(raster, left, top, right, top + lineWidth, colour)
  fillRectangle(raster, left, bottom - lineWidth, right, bottom, colour)
  fillRectangle(raster, left, top, left + lineWidth, bottom, colour)
  fillRectangle(raster, right - lineWidth, top, right, bottom, colour)
}

/** Paints through a mask; the mask has to lie within the raster, on opaque pixels. */
export function paintMask(raster: Raster, mask: Mask, left: number, top: number, colour: Colour): void {
  const { data, width, channels } = raster
  for (let y = 0; y < mask.height; y++) {
    let at = ((top + y) * width + left) * channels
    for (let x = 0; x < mask.width; x++, at += channels) {
      const cover = mask.data[y * mask.width + x]! / 255
      for (let channel = 0; channel < 3; channel++) {
        const below = data[at + channel]!
        data[at + channel] = below + (colour[channel]! - below) * cover + 0.5
      }
    }
  }
}
