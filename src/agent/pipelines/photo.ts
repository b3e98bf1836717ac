import { type DecodedImage, uprightSize, viewOf } from '../vision/decode.ts'
import { type Detection, moveDetection, scaleDetection } from '../vision/detection.ts'
import { upright } from '../vision/orient.ts'
import { crop, flatten, type Raster } from '../vision/raster.ts'
import type { QuarterTurn } from '../vision/turn.ts'

/** A part of a photo, in its pixels; not necessarily whole ones. */
export interface Region {
  left: number
  top: number
  width: number
  height: number
}

/** The pixels of a region, RGB. */
export interface Excerpt {
  raster: Raster
  /** From pixels of the raster to pixels of the photo. */
  toPhoto(face: Detection): Detection
}

/** What a detector sees of a region, in pixels: an excerpt with fewer shows less than there may be. */
const enoughPixels = 600

/** An upright photo: small at once, and as large as it is when that is wanted. */
export class Photo {
  readonly width: number
  readonly height: number
  /** RGB. */
  readonly #view: Raster
  readonly #makeFull: () => Promise<Raster>
  #full: Promise<Raster> | undefined

  constructor(size: { width: number; height: number }, view: Raster, full: () => Promise<Raster>) {
    this.width = size.width
    this.height = size.height
    this.#view = flatten(view)
    this.#makeFull = full
  }

  /** @param view viewOf(image) */
  static of(image: DecodedImage, view: Raster): Photo {
    return new Photo(uprightSize(image), view, async () => flatten(await viewOf(image, Number.POSITIVE_INFINITY)))
  }

  get whole(): Region {
    return { left: 0, top: 0, width: this.width, height: this.height }
  }

  /** Every pixel, RGB; made when it is first wanted. */
  full(): Promise<Raster> {
    this.#full ??= this.#view.width === this.width ? Promise.resolve(this.#view) : this.#makeFull()
    return this.#full
  }

  /** Out of the view where that shows enough. */
  async excerpt({ left, top, width, height }: Region): Promise<Excerpt> {
    const viewPixels = (Math.max(width, height) * this.#view.width) / this.width
    const source = viewPixels >= enoughPixels ? this.#view : await this.full()
    const across = this.width / source.width
    const down = this.height / source.height
    const [x, y] = [Math.floor(left / across), Math.floor(top / down)]
    const right = Math.min(source.width, Math.ceil((left + width) / across))
    const bottom = Math.min(source.height, Math.ceil((top + height) / down))
    const all = x === 0 && y === 0 && right === source.width && bottom === source.height
    return {
      raster: all ? source : crop(source, x, y, right - x, bottom - y),
      toPhoto: (face) => scaleDetection(moveDetection(face, x, y), across, down),
    }
  }

  /** The same photo turned. */
  turned(turn: QuarterTurn): Photo {
    const size = turn === 3 ? this : { width: this.height, height: this.width }
    return new Photo(size, upright(this.#view, turn), async () => upright(await this.full(), turn))
  }
}
