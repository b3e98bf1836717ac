import type { Raster } from './raster.ts'

/** Where one colour goes, and how: value × gain + offset. */
interface Plane {
  out: Float32Array
  gain: number
  offset: number
}

export type Planes = Record<'red' | 'green' | 'blue', Plane>

/**
 * Scales an RGB raster into the top left of three planes.
 * @param stride width of the planes
 */
export function resample(raster: Raster, width: number, height: number, planes: Planes, stride: number): void {
  const shrinking = Math.max(raster.width / width, raster.height / height)
  const samples = Math.ceil((Math.floor(shrinking) + 0.01) / 2)
  if (shrinking < 2) interpolate(raster, width, height, planes, stride)
  else if (samples === 2) averageOfFour(raster, width, height, planes, stride)
  else average(raster, width, height, planes, stride, samples)
}

// These loops take as long as decoding does: colours are written out, nothing is allocated or called within.

/** Bilinear. */
function interpolate(raster: Raster, width: number, height: number, { red, green, blue }: Planes, stride: number) {
  const { data } = raster
  const columns = neighbours(width, raster.width, 3)
  const rows = neighbours(height, raster.height, raster.width * 3)
  for (let y = 0; y < height; y++) {
    const upper = rows.first[y]!
    const lower = rows.second[y]!
    const down = rows.weight[y]!
    for (let x = 0, to = y * stride; x < width; x++, to++) {
      const across = columns.weight[x]!
      const a = upper + columns.first[x]!
      const b = upper + columns.second[x]!
      const c = lower + columns.first[x]!
      const d = lower + columns.second[x]!
      let top = data[a]! + (data[b]! - data[a]!) * across
      let bottom = data[c]! + (data[d]! - data[c]!) * across
      red.out[to] = (top + (bottom - top) * down) * red.gain + red.offset
      top = data[a + 1]! + (data[b + 1]! - data[a + 1]!) * across
      bottom = data[c + 1]! + (data[d + 1]! - data[c + 1]!) * across
      green.out[to] = (top + (bottom - top) * down) * green.gain + green.offset
      top = data[a + 2]! + (data[b + 2]! - data[a + 2]!) * across
      bottom = data[c + 2]! + (data[d + 2]! - data[c + 2]!) * across
      blue.out[to] = (top + (bottom - top) * down) * blue.gain + blue.offset
    }
  }
}

/** For each output position the offsets of two neighbours in the source and the weight of the second. */
function neighbours(length: number, sourceLength: number, step: number) {
  const first = new Int32Array(length)
  const second = new Int32Array(length)
  const weight = new Float64Array(length)
  for (let i = 0; i < length; i++) {
    const position = Math.min(sourceLength - 1, Math.max(0, ((i + 0.5) * sourceLength) / length - 0.5))
    const left = Math.floor(position)
    first[i] = left * step
    second[i] = Math.min(left + 1, sourceLength - 1) * step
    weight[i] = position - left
  }
  return { first, second, weight }
}

/**
 * Mean of samples × samples pixels spread evenly over what falls into each output pixel. About every other pixel is
 * enough against patterns, and detectors find more faces on it than on the softer mean of all pixels.
 */
function average(
  raster: Raster,
  width: number,
  height: number,
  { red, green, blue }: Planes,
  stride: number,
  samples: number,
): void {
  const { data } = raster
  const columns = spread(width, raster.width, samples, 3)
  const rows = spread(height, raster.height, samples, raster.width * 3)
  const share = 1 / (samples * samples)
  for (let y = 0; y < height; y++) {
    for (let x = 0, to = y * stride; x < width; x++, to++) {
      let r = 0
      let g = 0
      let b = 0
      for (let j = y * samples; j < (y + 1) * samples; j++) {
        const row = rows[j]!
        for (let i = x * samples; i < (x + 1) * samples; i++) {
          const at = row + columns[i]!
          r += data[at]!
          g += data[at + 1]!
          b += data[at + 2]!
        }
      }
      red.out[to] = r * share * red.gain + red.offset
      green.out[to] = g * share * green.gain + green.offset
      blue.out[to] = b * share * blue.gain + blue.offset
    }
  }
}

/** The same with two samples each way, which most photographs need: written out it takes a third of the time. */
function averageOfFour(raster: Raster, width: number, height: number, { red, green, blue }: Planes, stride: number) {
  const { data } = raster
  const columns = spread(width, raster.width, 2, 3)
  const rows = spread(height, raster.height, 2, raster.width * 3)
  for (let y = 0; y < height; y++) {
    const upper = rows[2 * y]!
    const lower = rows[2 * y + 1]!
    for (let x = 0, to = y * stride; x < width; x++, to++) {
      const left = columns[2 * x]!
      const right = columns[2 * x + 1]!
      const a = upper + left
      const b = upper + right
      const c = lower + left
      const d = lower + right
      red.out[to] = (data[a]! + data[b]! + data[c]! + data[d]!) * 0.25 * red.gain + red.offset
      green.out[to] = (data[a + 1]! + data[b + 1]! + data[c + 1]! + data[d + 1]!) * 0.25 * green.gain + green.offset
      blue.out[to] = (data[a + 2]! + data[b + 2]! + data[c + 2]! + data[d + 2]!) * 0.25 * blue.gain + blue.offset
    }
  }
}

/** Offsets of the samples of each output position. */
function spread(length: number, sourceLength: number, samples: number, step: number): Int32Array {
  const count = length * samples
  return Int32Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * sourceLength) / count) * step)
}
