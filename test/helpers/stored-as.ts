import sharp from 'sharp'

/** The same JPEG with its pixels turned the other way and the EXIF orientation (1 to 8) that sets them right. */
export async function storedAs(photo: Buffer, orientation: number): Promise<Buffer> {
  const back = orientation === 6 ? 8 : orientation === 8 ? 6 : orientation
  const turned = await sharp(photo).withMetadata({ orientation: back }).jpeg({ quality: 98 }).toBuffer()
  const pixels = await sharp(turned).autoOrient().png().toBuffer()
  return sharp(pixels).withMetadata({ orientation }).jpeg({ quality: 98 }).toBuffer()
}
