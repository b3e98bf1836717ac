import sharp from 'sharp'

export interface DrawnPhoto {
  width: number
  height: number
  /** Magenta squares: left, top, side in pixels. They must not overlap. */
  squares: [x: number, y: number, size: number][]
  /** Default jpeg. */
  format?: 'jpeg' | 'png' | 'webp' | 'avif' | 'tiff' | 'gif'
  /** Default '#40704a'; anything that is not magenta. */
  background?: string
  /** EXIF orientation tag to set; the pixels stay as drawn. */
  orientation?: number
}

/** A picture with known truth: tinyDetector() finds its squares and nothing else. */
export async function drawnPhoto({ width, height, squares, ...look }: DrawnPhoto): Promise<Buffer> {
  const { format = 'jpeg', background = '#40704a', orientation } = look
  const shapes = squares.map(([x, y, size]) => `<rect x="${x}" y="${y}" width="${size}" height="${size}"/>`)
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" shape-rendering="crispEdges">
    <rect width="100%" height="100%" fill="${background}"/><g fill="#ff00ff">${shapes.join('')}</g></svg>`
  const image = sharp(Buffer.from(svg)).removeAlpha()
  if (orientation !== undefined) image.withMetadata({ orientation })
  return image.toFormat(format, format === 'jpeg' ? { quality: 95, chromaSubsampling: '4:4:4' } : {}).toBuffer()
}
