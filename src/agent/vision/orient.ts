import type { Raster } from './raster.ts'

/** Edge of the squares in which pixels are moved, so that reading down a column stays in the cache. */
const tile = 32

/** The raster with an EXIF orientation (1 to 8) applied; the same one when there is nothing to do. */
export function upright(raster: Raster, orientation: number): Raster {
  if (orientation <= 1 || orientation > 8) return raster
  const { width, height, channels } = raster
  const turned = orientation > 4
  const out: Raster = {
    data: new Uint8Array(raster.data.length),
    width: turned ? height : width,
    height: turned ? width : height,
    channels,
  }
  const walk = sourceWalk(orientation, width, height)
  for (let top = 0; top < out.height; top += tile) {
    for (let left = 0; left < out.width; left += tile) moveTile(raster, out, walk, left, top)
  }
  return out
}

/** Where in the source, in pixels, the first output pixel lies, and how far a step right and a step down go. */
interface Walk {
  origin: number
  right: number
  down: number
}

function sourceWalk(orientation: number, width: number, height: number): Walk {
  const topRight = width - 1
  const bottomLeft = (height - 1) * width
  const bottomRight = width * height - 1
  const walks: Walk[] = [
    { origin: topRight, right: -1, down: width },
    { origin: bottomRight, right: -1, down: -width },
    { origin: bottomLeft, right: 1, down: -width },
    { origin: 0, right: width, down: 1 },
    { origin: bottomLeft, right: -width, down: 1 },
    { origin: bottomRight, right: -width, down: -1 },
    { origin: topRight, right: width, down: -1 },
  ]
  return walks[orientation - 2]!
}

function moveTile(source: Raster, out: Raster, { origin, right, down }: Walk, left: number, top: number): void {
  const { data, channels } = source
  const moved = out.data
  const endX = Math.min(out.width, left + tile)
  const endY = Math.min(out.height, top + tile)
  for (let y = top; y < endY; y++) {
    let from = (origin + y * down + left * right) * channels
    let to = (y * out.width + left) * channels
    for (let x = left; x < endX; x++, from += right * channels, to += channels) {
      moved[to] = data[from]!
      moved[to + 1] = data[from + 1]!
      moved[to + 2] = data[from + 2]!
      if (channels === 4) moved[to + 3] = data[from + 3]!
    }
  }
}
