import sharp, { type Sharp } from 'sharp'
import type { Raster } from './raster.ts'

// A worker has one core, and no image comes twice.
sharp.concurrency(1)
sharp.cache(false)
// Documents and drawings are no photographs, and their readers are the larger part of what a hostile file can reach.
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({
  operation: [
    'VipsForeignLoadJpeg',
    'VipsForeignLoadPng',
    'VipsForeignLoadWebp',
    'VipsForeignLoadHeif',
    'VipsForeignLoadTiff',
    'VipsForeignLoadNsgif',
  ],
})

export { type Sharp, sharp }

/** A sharp pipeline that begins with a raster. */
export function fromRaster({ data, width, height, channels }: Raster): Sharp {
  return sharp(data, { raw: { width, height, channels }, limitInputPixels: false })
}

/** Runs a pipeline to 8-bit pixels. */
export async function toRaster(pipeline: Sharp): Promise<Raster> {
  const { data, info } = await pipeline.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height, channels: info.channels as 3 | 4 }
}
