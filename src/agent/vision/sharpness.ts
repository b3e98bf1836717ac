import type { Raster } from './raster.ts'

/** Pixels at each edge of the crop that are not looked at: mostly hair and background, black beyond the photo's edge. */
const margin = 16

/** The most that a Laplacian of four neighbours amplifies anything by: the finest checkerboard. */
const largestGain = 8

/**
 * How sharp a face is, 0 (nothing but slow changes) to 1 (every pixel unlike its neighbours): the deviation of the
 * Laplacian, a usual measure of focus (Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy, 2000), over
 * the deviation of the brightness itself, so that neither light nor contrast matter; every face has the same size on
 * its crop, so photos compare. 0.02 to 0.06 are usual on LFW (0.036 the median), portraits reach 0.12; a Gaussian blur
 * of 2 pixels on the crop leaves 0.012, of 3 pixels 0.008. A face of fewer pixels than its crop counts as blurred, as
 * it is for whoever wants to recognise it: 16 to 32 pixels wide 0.01.
 * @param crop a face as alignFace() cuts it out, RGB
 */
export function sharpness(crop: Raster): number {
  const { width, height } = crop
  const brightness = luma(crop)
  const values = new Deviation()
  const changes = new Deviation()
  for (let y = margin; y < height - margin; y++) {
    for (let x = margin; x < width - margin; x++) {
      const at = y * width + x
      const value = brightness[at]!
      const around = brightness[at - 1]! + brightness[at + 1]! + brightness[at - width]! + brightness[at + width]!
      values.add(value)
      changes.add(around - 4 * value)
    }
  }
  return values.value === 0 ? 0 : Math.min(1, changes.value / values.value / largestGain)
}

/** ITU-R BT.601. */
function luma({ data, width, height }: Raster): Float64Array {
  const values = new Float64Array(width * height)
  for (let i = 0, at = 0; i < values.length; i++, at += 3) {
    values[i] = 0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!
  }
  return values
}

/** Standard deviation of numbers that come one by one. */
class Deviation {
  #count = 0
  #sum = 0
  #squares = 0

  add(value: number): void {
    this.#count += 1
    this.#sum += value
    this.#squares += value * value
  }

  get value(): number {
    const mean = this.#sum / this.#count
    return Math.sqrt(Math.max(0, this.#squares / this.#count - mean * mean))
  }
}
