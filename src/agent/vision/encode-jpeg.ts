import jpegTurbo from '@julusian/jpeg-turbo'
import { uprightExif } from './exif.ts'
import { insertMetadata } from './jpeg-metadata.ts'
import { asBuffer, type Raster } from './raster.ts'

const pictureQuality = 90

/** Encodes an upright RGB raster as JPEG and puts metadata into it, the EXIF block fitted to the new picture. */
export function encodeJpeg(
  { data, width, height }: Raster,
  { exif, icc }: { exif: Uint8Array | undefined; icc: Uint8Array | undefined },
  quality = pictureQuality,
): Buffer {
  const pixels = asBuffer(data)
  const options = { format: jpegTurbo.FORMAT_RGB, width, height, quality, subsampling: jpegTurbo.SAMP_420 }
  const jpeg = jpegTurbo.compressSync(pixels, options)
  return insertMetadata(jpeg, exif && uprightExif(exif, width, height), icc)
}
