/** Pixels of 8 bits, rows from top to bottom without gaps, RGB or RGBA (alpha not premultiplied). */
export interface Raster {
  data: Uint8Array
  width: number
  height: number
  channels: 3 | 4
}

/** A raster without alpha, as a viewer shows it: transparent parts over white. Shares memory with one that has none. */
export function flatten(raster: Raster): Raster {
  if (raster.channels === 3) return raster
  const { data, width, height } = raster
  const flat = new Uint8Array(width * height * 3)
  for (let from = 0, to = 0; to < flat.length; from += 4, to += 3) {
    const alpha = data[from + 3]! / 255
    const white = 255.5 - 255 * alpha
    flat[to] = data[from]! * alpha + white
    flat[to + 1] = data[from + 1]! * alpha + white
    flat[to + 2] = data[from + 2]! * alpha + white
  }
  return { data: flat, width, height, channels: 3 }
}

/** A copy of a part of a raster. The part is in whole pixels and lies within. */
export function crop(raster: Raster, left: number, top: number, width: number, height: number): Raster {
  const { data, channels } = raster
  const part = new Uint8Array(width * height * channels)
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * raster.width + left) * channels
    part.set(data.subarray(from, from + width * channels), y * width * channels)
  }
  return { data: part, width, height, channels }
}

/** The same memory as a Buffer, which some libraries insist on. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
