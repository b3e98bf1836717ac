import sharp from 'sharp'

const magenta = Buffer.from([255, 0, 255])

export interface DrawnPhoto {
  width: number
  height: number
  /** Magenta squares: left, top, side in whole pixels. They must not overlap. */
  squares: [x: number, y: number, size: number][]
  /** Default jpeg. */
  format?: 'jpeg' | 'png' | 'webp' | 'avif' | 'tiff' | 'gif'
  /** Six hexadecimal digits, default '#40704a'; anything that is not magenta. */
  background?: string
  /** EXIF orientation tag to set; the pixels stay as drawn. */
  orientation?: number
}

/** A picture with known truth: tinyDetector() finds its squares and nothing else. */
export async function drawnPhoto(photo: DrawnPhoto): Promise<Buffer> {
  const { width, height, format = 'jpeg', orientation } = photo
  const image = sharp(drawnPixels(photo), { raw: { width, height, channels: 3 } })
  if (orientation !== undefined) image.withMetadata({ orientation })
  return image.toFormat(format, format === 'jpeg' ? { quality: 95, chromaSubsampling: '4:4:4' } : {}).toBuffer()
}

/** Its pixels: RGB, 8 bits. */
export function drawnPixels({ width, height, squares, background = '#40704a' }: DrawnPhoto): Buffer {
  const pixels = Buffer.alloc(width * height * 3, Buffer.from(background.slice(1), 'hex'))
  for (const square of squares) fillSquare(pixels, width, height, square)
  return pixels
}

function fillSquare(pixels: Buffer, width: number, height: number, [x, y, size]: DrawnPhoto['squares'][number]): void {
  const end = Math.min(x + size, width)
  for (let row = y; row < Math.min(y + size, height); row++) {
    pixels.fill(magenta, (row * width + x) * 3, (row * width + end) * 3)
  }
}
