// A detector that knows no faces, only the colour of skin: what a figure of a real one has to be held against.
import sharp from 'sharp'
import type { Box } from '../../test/helpers/ground-truth.ts'
import type { ScoredBox } from './recall.ts'

const edge = 320
/** Of the picture; smaller blobs are specks. */
const smallestShare = 0.001

/** Connected areas of skin's colour (Kovač et al. 2003), about as high as wide, by how much of their box they fill. */
export async function colourBlobs(file: string): Promise<ScoredBox[]> {
  const { width: fullWidth = 0, height: fullHeight = 0 } = await sharp(file).metadata()
  const { data, info } = await sharp(file)
    .resize(edge, edge, { fit: 'inside' })
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  const scale = Math.max(fullWidth, fullHeight) / Math.max(info.width, info.height)
  const skin = Uint8Array.from({ length: info.width * info.height }, (_, at) =>
    isSkin(data[at * info.channels]!, data[at * info.channels + 1]!, data[at * info.channels + 2]!) ? 1 : 0,
  )
  return blobs(skin, info.width)
    .filter(
      ({ box, pixels }) => pixels >= smallestShare * skin.length && box[3] > box[2] * 0.6 && box[3] < box[2] * 2.2,
    )
    .map(({ box, pixels }) => ({
      box: box.map((value) => value * scale) as Box,
      score: pixels / (box[2] * box[3]),
    }))
}

function isSkin(red: number, green: number, blue: number): boolean {
  const spread = Math.max(red, green, blue) - Math.min(red, green, blue)
  return red > 95 && green > 40 && blue > 20 && spread > 15 && red - green > 15 && red > blue
}

interface Blob {
  box: Box
  pixels: number
}

/** @param mask 1 where a pixel belongs to a blob; is cleared */
function blobs(mask: Uint8Array, width: number): Blob[] {
  const found: Blob[] = []
  for (let start = 0; start < mask.length; start++) {
    if (mask[start] === 1) found.push(flood(mask, width, start))
  }
  return found
}

function flood(mask: Uint8Array, width: number, start: number): Blob {
  const pending = [start]
  mask[start] = 0
  let [left, top, right, bottom, pixels] = [width, mask.length, 0, 0, 0]
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    const [x, y] = [at % width, Math.floor(at / width)]
    left = Math.min(left, x)
    right = Math.max(right, x + 1)
    top = Math.min(top, y)
    bottom = Math.max(bottom, y + 1)
    pixels++
    const besides = [x > 0 ? at - 1 : -1, x < width - 1 ? at + 1 : -1, at - width, at + width]
    for (const next of besides) {
      if (mask[next] !== 1) continue
      mask[next] = 0
      pending.push(next)
    }
  }
  return { box: [left, top, right - left, bottom - top], pixels }
}
