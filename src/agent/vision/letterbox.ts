import type { Preprocess } from '../../protocol/model.ts'
import { type Raster, shrinkByMean } from './raster.ts'

/** Where an image lies in a network's input: at the top left, scaled alike in both directions. */
export interface Letterbox {
  /** Input pixels per image pixel. */
  scale: number
  /** Size of the image's part of the input. */
  contentWidth: number
  contentHeight: number
}

/** Fits an image into an input of the given size. Small images are scaled up: detectors find more faces then. */
export function fitLetterbox(image: { width: number; height: number }, width: number, height: number): Letterbox {
  const scale = Math.min(width / image.width, height / image.height)
  return {
    scale,
    contentWidth: Math.min(width, Math.max(1, Math.round(image.width * scale))),
    contentHeight: Math.min(height, Math.max(1, Math.round(image.height * scale))),
  }
}

/** An input tensor of one image that is used again and again. */
export class LetterboxTensor {
  readonly width: number
  readonly height: number
  readonly data: Float32Array
  readonly dims: number[]
  readonly #planes: Record<Colour, Plane>
  /** Content of the last image: around it is padding already. */
  #last = { contentWidth: 0, contentHeight: 0 }

  constructor(width: number, height: number, preprocess: Preprocess) {
    this.width = width
    this.height = height
    this.dims = [1, 3, height, width]
    this.data = new Float32Array(3 * width * height)
    const [red, green, blue] = preprocess.channels === 'RGB' ? [0, 1, 2] : [2, 1, 0]
    const plane = (index: number): Plane => ({
      out: this.data.subarray(index * width * height, (index + 1) * width * height),
      gain: 1 / preprocess.std[index]!,
      offset: -preprocess.mean[index]! / preprocess.std[index]!,
    })
    this.#planes = { red: plane(red!), green: plane(green!), blue: plane(blue!) }
    this.#pad()
  }

  /** Puts an RGB raster into the tensor: (value - mean) / std, channels in the model's order, black around it. */
  fill(raster: Raster): Letterbox {
    const box = fitLetterbox(raster, this.width, this.height)
    if (box.contentWidth < this.#last.contentWidth || box.contentHeight < this.#last.contentHeight) this.#pad()
    this.#last = box
    const factor = Math.floor(1 / box.scale + 1e-6)
    this.#resample(factor > 1 ? shrinkByMean(raster, factor) : raster, box)
    return box
  }

  #pad(): void {
    for (const { out, offset } of Object.values(this.#planes)) out.fill(offset)
  }

  #resample(source: Raster, { contentWidth, contentHeight }: Letterbox): void {
    const columns = taps(contentWidth, source.width, 3)
    const rows = taps(contentHeight, source.height, source.width * 3)
    resample(source.data, columns, rows, this.#planes, this.width)
  }
}

type Colour = 'red' | 'green' | 'blue'

/** Where one colour goes, and how: value × gain + offset. */
interface Plane {
  out: Float32Array
  gain: number
  offset: number
}

/** For each output position the offsets of two neighbours in the source and the weight of the second. */
interface Taps {
  first: Int32Array
  second: Int32Array
  weight: Float64Array
}

/** Pixel centres of the output laid over those of the source. */
function taps(outLength: number, sourceLength: number, step: number): Taps {
  const first = new Int32Array(outLength)
  const second = new Int32Array(outLength)
  const weight = new Float64Array(outLength)
  for (let i = 0; i < outLength; i++) {
    const position = Math.min(sourceLength - 1, Math.max(0, ((i + 0.5) * sourceLength) / outLength - 0.5))
    const left = Math.floor(position)
    first[i] = left * step
    second[i] = Math.min(left + 1, sourceLength - 1) * step
    weight[i] = position - left
  }
  return { first, second, weight }
}

/** Bilinear, all three colours at once; written out because this loop takes as long as decoding does. */
function resample(data: Uint8Array, columns: Taps, rows: Taps, planes: Record<Colour, Plane>, stride: number): void {
  const { first, second, weight } = columns
  const { red, green, blue } = planes
  const width = first.length
  for (let y = 0; y < rows.first.length; y++) {
    const upper = rows.first[y]!
    const lower = rows.second[y]!
    const down = rows.weight[y]!
    let to = y * stride
    for (let x = 0; x < width; x++, to++) {
      const across = weight[x]!
      const a = upper + first[x]!
      const b = upper + second[x]!
      const c = lower + first[x]!
      const d = lower + second[x]!
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
