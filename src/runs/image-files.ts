import { open } from 'node:fs/promises'
import { extname } from 'node:path'
import { systemErrorCode } from '../common/errors.ts'

/** What a file is to a run. */
export type FileKind =
  | { kind: 'image' }
  /** A picture of a kind that no node reads: its extension with a dot, in lower case. */
  | { kind: 'unread'; extension: string }
  | { kind: 'other' }

/** Extensions of cameras' raw photos. */
export const rawExtensions = 'dng cr2 cr3 nef nrw arw orf rw2 raf pef srw'.split(' ')

/** Extensions of pictures that nodes read: a photograph that is damaged is told of, whatever is in the file. */
const read = new Set([
  ...'jpg jpeg jpe jfif mpo png apng webp avif avifs heic heics heif heifs hif tif tiff gif'.split(' '),
  ...rawExtensions,
])

/** Extensions of pictures that they do not read. */
const unread = new Set(
  [
    'bmp dib jp2 j2k jpf jpx jxl svg svgz ico psd psb xcf kra qoi tga dds exr hdr ppm pgm pbm pnm pfm wmf emf',
    '3fr crw dcr erf fff gpr iiq k25 kdc mef mos mrw rwl sr2 srf x3f',
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
  [0, 'FUJIFILMCCD-RAW'],
  [0, 'IIRO'],
  [0, 'IIRS'],
  [0, 'MMOR'],
  [0, 'IIU\0'],
  [4, 'ftypcrx '],
  [4, 'ftypavif'],
  [4, 'ftyphei'],
  [4, 'ftyphev'],
  [4, 'ftypmif1'],
  [4, 'ftypmsf1'],
]

/** First bytes of pictures that are not read, as far as nothing else begins with them. */
const unreadSignatures: [Signature, extension: string][] = [
  [[0, '8BPS'], '.psd'],
  [[0, '\0\0\0\x0cJXL \r\n\x87\n'], '.jxl'],
  [[0, '\0\0\0\x0cjP  \r\n\x87\n'], '.jp2'],
  [[0, 'gimp xcf'], '.xcf'],
  [[0, '\x76\x2f\x31\x01'], '.exr'],
]

/**
 * Tells a picture by its name or, failing that, by its first bytes. What is named like a picture of a kind that is not
 * read is one all the same when its content says so. A file that may not be read is none.
 */
export async function kindOfFile(path: string): Promise<FileKind> {
  const extension = extname(path).toLowerCase()
  if (read.has(extension.slice(1))) return { kind: 'image' }
  try {
    const head = await firstBytes(path)
    const begins = ([offset, bytes]: Signature) => head.startsWith(bytes, offset)
    if (signatures.some(begins)) return { kind: 'image' }
    if (unread.has(extension.slice(1))) return { kind: 'unread', extension }
    const found = unreadSignatures.find(([signature]) => begins(signature))
    return found ? { kind: 'unread', extension: found[1] } : { kind: 'other' }
  } catch (error) {
    // Anything else, such as a failing disk, is told of when the file's turn comes.
    const isGone = systemErrorCode(error) === 'EACCES' || systemErrorCode(error) === 'ENOENT'
    return { kind: isGone ? 'other' : 'image' }
  }
}

async function firstBytes(path: string): Promise<string> {
  await using file = await open(path, 'r')
  const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0)
  return buffer.toString('latin1', 0, bytesRead)
}
