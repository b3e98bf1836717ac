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

/** An RGB raster shrunk by a whole factor, each pixel the mean of factor × factor; what is left over is cut off. */
export function shrinkByMean({ data, width, height }: Raster, factor: number): Raster {
  const columns = Math.min(factor, width)
  const rows = Math.min(factor, height)
  const out: Raster = {
    data: new Uint8Array(Math.floor(width / columns) * Math.floor(height / rows) * 3),
    width: Math.floor(width / columns),
    height: Math.floor(height / rows),
    channels: 3,
  }
  for (let y = 0; y < out.height; y++) averageRow(data, y * rows * width * 3, width * 3, columns, rows, out, y)
  return out
}

function averageRow(
  data: Uint8Array,
  start: number,
  stride: number,
  columns: number,
  rows: number,
  out: Raster,
  y: number,
): void {
  const share = 1 / (columns * rows)
  let to = y * out.width * 3
  for (let x = 0; x < out.width; x++, to += 3) {
    let red = 0.5
    let green = 0.5
    let blue = 0.5
    for (let row = 0, from = start + x * columns * 3; row < rows; row++, from += stride) {
      for (let at = from; at < from + columns * 3; at += 3) {
        red += data[at]! * share
        green += data[at + 1]! * share
        blue += data[at + 2]! * share
      }
    }
    out.data[to] = red
    out.data[to + 1] = green
    out.data[to + 2] = blue
  }
}

/** The same memory as a Buffer, which some libraries insist on. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
