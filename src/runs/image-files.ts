import { open } from 'node:fs/promises'
import { extname } from 'node:path'
import { systemErrorCode } from '../common/errors.ts'

/** Extensions of pictures, whether or not an agent can decode them: a photograph that cannot be read is told of. */
const extensions = new Set(
  [
    'jpg jpeg jpe jfif mpo png apng webp avif avifs heic heif tif tiff gif bmp dib jp2 j2k jxl svg ico psd qoi tga',
    'ppm pgm pbm pnm pfm dng cr2 cr3 nef nrw arw orf rw2 raf pef srw',
  ]
    .join(' ')
    .split(' '),
)

type Signature = [offset: number, bytes: string]

/** First bytes of the formats people keep pictures in, for files without a telling name. */
const signatures: Signature[] = [
  [0, '\xff\xd8\xff'],
  [0, '\x89PNG\r\n\x1a\n'],
  [0, 'GIF87a'],
  [0, 'GIF89a'],
  [8, 'WEBP'],
  [0, 'II*\0'],
  [0, 'MM\0*'],
  [4, 'ftypavif'],
  [4, 'ftypheic'],
  [4, 'ftypheix'],
  [4, 'ftypmif1'],
  [4, 'ftypmsf1'],
]

/** True for a file that is a picture by its name or, failing that, by its first bytes. One that may not be read is none. */
export async function isImageFile(path: string): Promise<boolean> {
  if (extensions.has(extname(path).slice(1).toLowerCase())) return true
  try {
    await using file = await open(path, 'r')
    const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0)
    const head = buffer.toString('latin1', 0, bytesRead)
    return signatures.some(([offset, bytes]) => head.startsWith(bytes, offset))
  } catch (error) {
    // Anything else, such as a failing disk, is told of when the file's turn comes.
    return systemErrorCode(error) !== 'EACCES' && systemErrorCode(error) !== 'ENOENT'
  }
}
