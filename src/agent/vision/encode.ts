import type { DecodedImage, Metadata } from './decode.ts'
import { openFile } from './decode-other.ts'
import { encodeJpeg } from './encode-jpeg.ts'
import type { CopyFormat } from './image-format.ts'
import { asBuffer, type Raster } from './raster.ts'
import { fromRaster, type Sharp } from './sharp.ts'

type Encoder = (image: Sharp) => Sharp

/** Small effort for the slow formats: a preview is wanted now. */
const encoders: Record<Exclude<CopyFormat, 'jpeg'>, Encoder> = {
  png: (image) => image.png({ compressionLevel: 6 }),
  webp: (image) => image.webp({ quality: 90, effort: 2 }),
  avif: (image) => image.avif({ quality: 65, effort: 2 }),
  tiff: (image) => image.tiff({ compression: 'lzw', predictor: 'horizontal' }),
  gif: (image) => image.gif({ effort: 3, dither: 0.5 }),
}

/** Encodes an upright raster in the format of the image it came from (HEIC and raw photos: JPEG), with its EXIF and ICC profile. */
export async function encodeImage(raster: Raster, { format, metadata }: DecodedImage): Promise<Buffer> {
  if (metadata.kind === 'blocks') return encodeJpeg(raster, metadata)
  const image = withMetadata(raster, metadata)
  return encoders[format as Exclude<CopyFormat, 'jpeg'>](image).toBuffer()
}

/** sharp takes metadata from a file only: that file is opened again and covered with the raster. */
function withMetadata(raster: Raster, metadata: Extract<Metadata, { kind: 'file' }>): Sharp {
  if (!metadata.exif && !metadata.icc) return fromRaster(raster)
  const { data, width, height, channels } = raster
  const carrier = openFile(metadata.bytes, { limitInputPixels: false, ignoreIcc: metadata.icc }).resize({
    width,
    height,
    fit: 'fill',
    kernel: 'nearest',
  })
  const covered = carrier.composite([{ input: asBuffer(data), raw: { width, height, channels }, blend: 'source' }])
  // Compositing gives alpha to everything.
  if (channels === 3) covered.removeAlpha()
  if (metadata.exif) covered.keepExif()
  return metadata.icc ? covered.keepIccProfile() : covered
}
