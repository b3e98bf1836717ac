import type { Box } from '../../protocol/messages.ts'
import { sampleSquare } from './align.ts'
import { encodeJpeg } from './encode-jpeg.ts'
import { flatten, type Raster } from './raster.ts'
import { fromRaster, toRaster } from './sharp.ts'

/** Long edge of a thumbnail, edge of a face's crop, in pixels. */
const thumbnailEdge = 240
const cropEdge = 96
/** What a crop shows, in edges of the face's box: enough to recognise somebody by the hair as well. */
const context = 1.7
const quality = 75
const bare = { exif: undefined, icc: undefined }

/** A small JPEG of a picture. */
export async function thumbnailOf(view: Raster): Promise<Buffer> {
  const shrunk = fromRaster(flatten(view)).resize({
    width: thumbnailEdge,
    height: thumbnailEdge,
    fit: 'inside',
    withoutEnlargement: true,
    kernel: 'linear',
  })
  return encodeJpeg(await toRaster(shrunk), bare, quality)
}

/** A small JPEG of a face and what is around it; black beyond the edges. @param box in pixels of the view */
export function cropOf(view: Raster, [x, y, width, height]: Box): Buffer {
  const size = context * Math.max(width, height)
  const square = { left: x + (width - size) / 2, top: y + (height - size) / 2, size }
  return encodeJpeg(sampleSquare(view, square, cropEdge), bare, quality)
}
