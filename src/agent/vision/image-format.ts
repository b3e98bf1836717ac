import { isRawPhoto } from '../../common/raw-photo.ts'

/** Formats that are read, and written back in kind. */
export const imageFormats = ['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'] as const
/** What a copy can be. */
export type CopyFormat = (typeof imageFormats)[number]
/** What is read; a HEIC and a camera's raw photo are copied as JPEG. */
export type ImageFormat = CopyFormat | 'heic' | 'raw'

export const mediaTypes: Record<CopyFormat, string> = {
  jpeg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  avif: 'image/avif',
  tiff: 'image/tiff',
  gif: 'image/gif',
}

export const formatTitles: Record<ImageFormat, string> = {
  jpeg: 'JPEG',
  png: 'PNG',
  webp: 'WebP',
  avif: 'AVIF',
  tiff: 'TIFF',
  gif: 'GIF',
  heic: 'HEIC',
  raw: 'raw photo',
}

/** First bytes of a kind of file; `.` stands for any byte. */
type Magic = [kind: string, start: string]

const readable: [ImageFormat, string][] = [
  ['jpeg', '\xff\xd8\xff'],
  ['png', '\x89PNG\r\n\x1a\n'],
  ['webp', 'RIFF....WEBP'],
  ['tiff', 'II*\0'],
  ['tiff', 'MM\0*'],
  ['tiff', 'II+\0'],
  ['tiff', 'MM\0+'],
  ['gif', 'GIF87a'],
  ['gif', 'GIF89a'],
]

/** Kinds that are told apart only to say what a refused file is. */
const named: Magic[] = [
  ['a BMP image', 'BM'],
  ['a JPEG 2000 image', '\0\0\0\x0cjP  '],
  ['a JPEG 2000 image', '\xff\x4f\xff\x51'],
  ['a JPEG XL image', '\0\0\0\x0cJXL '],
  ['a JPEG XL image', '\xff\x0a'],
  ['a Photoshop document', '8BPS'],
  ['a DDS texture', 'DDS '],
  ['a QOI image', 'qoif'],
  ['an OpenEXR image', '\x76\x2f\x31\x01'],
  ['a FITS image', 'SIMPLE  ='],
  ['a PDF document', '%PDF'],
  ['a PostScript document', '%!PS'],
  ['an MP4 or QuickTime video', '....ftyp'],
  ['an AVI video', 'RIFF....AVI '],
  ['a Matroska video', '\x1a\x45\xdf\xa3'],
  ['an SVG drawing', '<svg'],
  ['a ZIP archive', 'PK\x03\x04'],
  ['a gzip archive', '\x1f\x8b'],
  ['an XML or SVG document', '<?xml'],
  ['an HTML page', '<!DOCTYPE html'],
  ['an HTML page', '<html'],
  ['a Netpbm image', 'P1'],
  ['a Netpbm image', 'P2'],
  ['a Netpbm image', 'P3'],
  ['a Netpbm image', 'P4'],
  ['a Netpbm image', 'P5'],
  ['a Netpbm image', 'P6'],
  ['a Netpbm image', 'P7'],
]

/** The format of an image by its first bytes, whatever its name; undefined for what is not read. */
export function imageFormat(bytes: Uint8Array): ImageFormat | undefined {
  const start = latin1(bytes)
  const brands = isoBrands(start)
  if (brands.some((brand) => brand === 'avif' || brand === 'avis')) return 'avif'
  if (brands.some((brand) => /^(hei[cxms]|hev[cxms]|mif1|msf1)$/.test(brand))) return 'heic'
  if (isRawPhoto(bytes)) return 'raw'
  return readable.find(([, magic]) => matches(start, magic))?.[0]
}

/** What a file that is not read looks like, e.g. "a BMP image"; undefined for what is not known. */
export function describeContent(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return 'an empty file'
  const start = latin1(bytes)
  return named.find(([, magic]) => matches(start, magic))?.[0] ?? iconOrCursor(bytes)
}

// Their first bytes are common (a TGA image has those of a cursor), so the list of pictures has to make sense as well.
function iconOrCursor(bytes: Uint8Array): string | undefined {
  if (bytes.length < 22) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const [reserved, type, count] = [0, 2, 4].map((at) => view.getUint16(at, true)) as [number, number, number]
  if (reserved !== 0 || (type !== 1 && type !== 2) || count < 1 || count > 64) return undefined
  const [size, offset] = [view.getUint32(14, true), view.getUint32(18, true)]
  const isPlausible = view.getUint8(9) === 0 && size > 0 && offset >= 6 + 16 * count && offset < bytes.length
  if (!isPlausible) return undefined
  return type === 1 ? 'an icon' : 'a cursor'
}

/** Brands of an ISO media file (HEIF, AVIF, MP4): the major one and those it is compatible with. */
function isoBrands(start: string): string[] {
  if (start.slice(4, 8) !== 'ftyp') return []
  const length = Math.min(start.length, start.charCodeAt(2) * 256 + start.charCodeAt(3))
  const brands = [start.slice(8, 12)]
  for (let at = 16; at + 4 <= length; at += 4) brands.push(start.slice(at, at + 4))
  return brands
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 256)).toString('latin1')
}

function matches(start: string, magic: string): boolean {
  for (let i = 0; i < magic.length; i++) {
    if (magic[i] !== '.' && magic[i] !== start[i]) return false
  }
  return true
}
