import type { Preprocess } from '../../protocol/model.ts'
import type { Raster } from './raster.ts'
import { type Planes, resample } from './resample.ts'

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
  readonly #planes: Planes
  /** What lies around the image, by channel of the input. */
  readonly #padding: number[]
  /** Content of the last image: around it is padding already. */
  #last = { contentWidth: 0, contentHeight: 0 }

  /** @param memory where the values lie: at least 3 × width × height, used by no other tensor from now on */
  constructor(width: number, height: number, preprocess: Preprocess, memory = new Float32Array(3 * width * height)) {
    this.width = width
    this.height = height
    this.dims = [1, 3, height, width]
    this.data = memory.subarray(0, 3 * width * height)
    const [red, green, blue] = preprocess.channels === 'RGB' ? [0, 1, 2] : [2, 1, 0]
    const plane = (index: number) => ({
      out: this.data.subarray(index * width * height, (index + 1) * width * height),
      gain: 1 / preprocess.std[index]!,
      offset: -preprocess.mean[index]! / preprocess.std[index]!,
    })
    this.#planes = { red: plane(red!), green: plane(green!), blue: plane(blue!) }
    this.#padding = preprocess.std.map((std, i) => ((preprocess.pad ?? 0) - preprocess.mean[i]!) / std)
    this.#pad()
  }

  /** Puts an RGB raster into the tensor: (value - mean) / std, channels in the model's order, padding around it. */
  fill(raster: Raster): Letterbox {
    const box = fitLetterbox(raster, this.width, this.height)
    if (box.contentWidth < this.#last.contentWidth || box.contentHeight < this.#last.contentHeight) this.#pad()
    this.#last = box
    resample(raster, box.contentWidth, box.contentHeight, this.#planes, this.width)
    return box
  }

  #pad(): void {
    const plane = this.width * this.height
    for (const [i, value] of this.#padding.entries()) this.data.fill(value, i * plane, (i + 1) * plane)
  }
}
