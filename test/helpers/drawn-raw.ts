import { drawnPhoto } from './drawn-images.ts'
import { type Field, writeTiff } from './tiff-writer.ts'

export const rawKinds = ['dng', 'nef', 'arw', 'cr2'] as const

export interface DrawnRaw {
  /** How cameras of that kind lay out their files. Default dng. */
  kind?: (typeof rawKinds)[number]
  /** The large preview, a JPEG; without it there is only a thumbnail. */
  preview?: { jpeg: Buffer; width: number; height: number }
  /** EXIF orientation. */
  orientation?: number
}

const sensor = { width: 1000, height: 800 }

/** A raw photo as LibRaw takes it from a camera: a thumbnail, a preview, and a sensor's pixels that are all alike. */
export async function drawnRaw({ kind = 'dng', preview, orientation = 1 }: DrawnRaw): Promise<Buffer> {
  const small = { jpeg: await drawnPhoto({ width: 160, height: 120, squares: [] }), width: 160, height: 120 }
  const turned = { tag: 274, short: [orientation] }
  const strips = (picture: typeof small) => jpegStrip(picture)
  const camera = cameraFields[kind]
  if (kind === 'dng') {
    const inside = [sensorFields(), ...(preview ? [strips(preview)] : [])]
    return writeTiff([[...strips(small), turned, ...camera, { tag: 330, folders: inside }]])
  }
  if (kind === 'nef') {
    const inside = [...(preview ? [jpegPointer(preview)] : []), sensorFields()]
    return writeTiff([[...strips(small), turned, ...camera, { tag: 330, folders: inside }]])
  }
  if (kind === 'arw') {
    const main = preview ? jpegPointer(preview) : []
    return writeTiff([[...main, turned, ...camera, { tag: 330, folders: [sensorFields()] }], jpegPointer(small)])
  }
  const large = preview ? strips(preview) : strips(small)
  return writeTiff(
    [[...large, turned, ...camera], jpegPointer(small), sensorFields()],
    undefined,
    Buffer.from('CR\x02\0\0\0\0\0', 'latin1'),
  )
}

/** A raw photo on which LibRaw never ends: a Huffman table of its preview has more codes of a length than there can be. */
export async function endlessRaw(kind: DrawnRaw['kind'] = 'dng'): Promise<Buffer> {
  const jpeg = await drawnPhoto({ width: 640, height: 480, squares: [[100, 120, 80]] })
  const marker = Buffer.from([0xff, 0xc4])
  const table = jpeg.lastIndexOf(marker, jpeg.indexOf(Buffer.from([0xff, 0xda])))
  // Marker, length and the table's number; then how many codes there are of each length.
  jpeg[table + 2 + 2 + 1] = 4
  return drawnRaw({ kind, preview: { jpeg, width: 640, height: 480 } })
}

const cameraFields: Record<(typeof rawKinds)[number], Field[]> = {
  dng: [
    { tag: 271, text: 'Drawn' },
    { tag: 272, text: 'Camera' },
    { tag: 50_706, bytes: [1, 4, 0, 0] },
    { tag: 50_707, bytes: [1, 1, 0, 0] },
    { tag: 50_708, text: 'Drawn Camera' },
  ],
  nef: [
    { tag: 271, text: 'NIKON CORPORATION' },
    { tag: 272, text: 'NIKON D90' },
  ],
  arw: [
    { tag: 271, text: 'SONY' },
    { tag: 272, text: 'ILCE-7M3' },
  ],
  cr2: [
    { tag: 271, text: 'Canon' },
    { tag: 272, text: 'Canon EOS 6D' },
  ],
}

function jpegStrip({ jpeg, width, height }: NonNullable<DrawnRaw['preview']>): Field[] {
  return [
    { tag: 254, long: [1] },
    { tag: 256, long: [width] },
    { tag: 257, long: [height] },
    { tag: 258, short: [8, 8, 8] },
    { tag: 259, short: [7] },
    { tag: 262, short: [6] },
    { tag: 273, data: jpeg },
    { tag: 277, short: [3] },
    { tag: 278, long: [height] },
    { tag: 279, long: [jpeg.length] },
  ]
}

function jpegPointer({ jpeg }: NonNullable<DrawnRaw['preview']>): Field[] {
  return [
    { tag: 254, long: [1] },
    { tag: 259, short: [6] },
    { tag: 513, data: jpeg },
    { tag: 514, long: [jpeg.length] },
  ]
}

function sensorFields(): Field[] {
  const { width, height } = sensor
  const mosaic = Buffer.alloc(width * height * 2, 7)
  return [
    { tag: 254, long: [0] },
    { tag: 256, long: [width] },
    { tag: 257, long: [height] },
    { tag: 258, short: [16] },
    { tag: 259, short: [1] },
    { tag: 262, short: [32_803] },
    { tag: 273, data: mosaic },
    { tag: 277, short: [1] },
    { tag: 278, long: [height] },
    { tag: 279, long: [mosaic.length] },
    { tag: 33_421, short: [2, 2] },
    { tag: 33_422, bytes: [0, 1, 1, 2] },
  ]
}
