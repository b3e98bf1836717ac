import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { box, fullBox, number } from './iso-writer.ts'

export interface DrawnHeic {
  /** RGB, 8 bits, of the picture as it is stored. */
  pixels: Buffer
  width: number
  height: number
  /** Edge of square tiles, as telephones write them; without it the picture is one piece. */
  tile?: number
  /** Quarter turns against the clock that a viewer has to make. */
  turns?: number
  /** 0: what is left and right change places; 1: top and bottom. */
  mirror?: 0 | 1
  /** Width and height of the middle that a viewer has to show. */
  crop?: [width: number, height: number]
  /** EXIF block (TIFF structure). */
  exif?: Buffer
  icc?: Buffer
  /** Size that the header says instead of the true one. */
  said?: { width: number; height: number }
}

/** Reason for leaving a test out where HEIC files cannot be made; false where they can. */
export const heifEncMissing: string | false = canEncode() ? false : 'needs heif-enc with x265 (libheif-examples)'

/** A HEIC with the boxes that telephones write; its pixels are encoded by x265. */
export async function drawnHeic(drawn: DrawnHeic): Promise<Buffer> {
  const { width, height, tile } = drawn
  const [tileWidth, tileHeight] = tile === undefined ? [width, height] : [tile, tile]
  const [across, down] = [Math.ceil(width / tileWidth), Math.ceil(height / tileHeight)]
  const pieces: Encoded[] = []
  for (let index = 0; index < across * down; index++) {
    const [left, top] = [(index % across) * tileWidth, Math.floor(index / across) * tileHeight]
    pieces.push(encode(await cut(drawn, left, top, tileWidth, tileHeight)))
  }
  const said = drawn.said ?? { width, height }
  return container(drawn, said, pieces, { tileWidth, tileHeight, across, down })
}

/** A piece of the picture as PNG; where it reaches beyond, the edge goes on. */
async function cut({ pixels, width, height }: DrawnHeic, left: number, top: number, across: number, down: number) {
  const inside = { left, top, width: Math.min(across, width - left), height: Math.min(down, height - top) }
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .extract(inside)
    .extend({ right: across - inside.width, bottom: down - inside.height, extendWith: 'copy' })
    .png()
    .toBuffer()
}

interface Encoded {
  /** The `hvcC` box. */
  config: Buffer
  data: Buffer
}

function encode(png: Buffer): Encoded {
  const folder = mkdtempSync(join(tmpdir(), 'cpn-heic-'))
  try {
    const [from, to] = [join(folder, 'piece.png'), join(folder, 'piece.heic')]
    writeFileSync(from, png)
    execFileSync('heif-enc', ['-q', '95', '-p', 'chroma=444', from, '-o', to], { stdio: 'ignore' })
    const file = readFileSync(to)
    return { config: boxNamed(file, 'hvcC'), data: boxNamed(file, 'mdat').subarray(8) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** heif-enc's files are small and simple: a kind's first occurrence is the box. */
function boxNamed(file: Buffer, kind: string): Buffer {
  const at = file.indexOf(kind, 0, 'latin1') - 4
  return file.subarray(at, at + file.readUInt32BE(at))
}

interface Grid {
  tileWidth: number
  tileHeight: number
  across: number
  down: number
}

interface Item {
  type: string
  data: Buffer
  hidden?: boolean
  properties: Buffer[]
}

function container(drawn: DrawnHeic, said: { width: number; height: number }, pieces: Encoded[], grid: Grid): Buffer {
  const { icc, exif, crop, turns, mirror, tile } = drawn
  const look = [
    size(said.width, said.height),
    ...(icc ? [box('colr', Buffer.from('prof'), icc)] : []),
    ...(crop ? [box('clap', ...[...crop, 0, 0].flatMap((value) => [number(value), number(1)]))] : []),
    ...(turns === undefined ? [] : [box('irot', number(turns, 1))]),
    ...(mirror === undefined ? [] : [box('imir', number(mirror, 1))]),
  ]
  const tiles = pieces.map(({ config, data }) => ({
    type: 'hvc1',
    data,
    hidden: true,
    properties: [config, size(grid.tileWidth, grid.tileHeight)],
  }))
  const whole: Item =
    tile === undefined
      ? { type: 'hvc1', data: pieces[0]!.data, properties: [pieces[0]!.config, ...look] }
      : {
          type: 'grid',
          data: Buffer.concat([
            number(1, 2),
            number(grid.down - 1, 1),
            number(grid.across - 1, 1),
            number(said.width),
            number(said.height),
          ]),
          properties: look,
        }
  const items: Item[] = [whole, ...(tile === undefined ? [] : tiles)]
  const references =
    tile === undefined
      ? []
      : [
          reference(
            'dimg',
            1,
            tiles.map((_, index) => index + 2),
          ),
        ]
  if (exif) {
    items.push({ type: 'Exif', data: Buffer.concat([number(0), exif]), properties: [] })
    references.push(reference('cdsc', items.length, [1]))
  }
  return file(items, references)
}

const size = (width: number, height: number) => fullBox('ispe', 0, 0, number(width), number(height))

const reference = (kind: string, from: number, to: number[]) =>
  box(kind, number(from, 2), number(to.length, 2), ...to.map((id) => number(id, 2)))

function file(items: Item[], references: Buffer[]): Buffer {
  const brands = box('ftyp', Buffer.from('heic\0\0\0\0mif1heicmiaf', 'latin1'))
  // Where the data lie depends on how long the description is, and that does not depend on where they lie.
  const start = brands.length + meta(items, references, 0).length + 8
  return Buffer.concat([brands, meta(items, references, start), box('mdat', ...items.map(({ data }) => data))])
}

function meta(items: Item[], references: Buffer[], start: number): Buffer {
  const all = items.flatMap(({ properties }) => properties)
  let [property, offset] = [0, start]
  const associations = items.map(({ properties }, index) => {
    const list = properties.map(() => number(++property | 0x8000, 2))
    return Buffer.concat([number(index + 1, 2), number(list.length, 1), ...list])
  })
  const places = items.map(({ data }, index) => {
    const place = [number(index + 1, 2), number(0, 2), number(1, 2), number(offset), number(data.length)]
    offset += data.length
    return Buffer.concat(place)
  })
  const infos = items.map(({ type, hidden }, index) =>
    fullBox('infe', 2, hidden ? 1 : 0, number(index + 1, 2), number(0, 2), Buffer.from(`${type}\0`)),
  )
  return fullBox(
    'meta',
    0,
    0,
    fullBox('hdlr', 0, 0, number(0), Buffer.from('pict'), Buffer.alloc(13)),
    fullBox('pitm', 0, 0, number(1, 2)),
    fullBox('iinf', 0, 0, number(items.length, 2), ...infos),
    ...(references.length > 0 ? [fullBox('iref', 0, 0, ...references)] : []),
    box('iprp', box('ipco', ...all), fullBox('ipma', 0, 1, number(items.length), ...associations)),
    fullBox('iloc', 0, 0, number(0x44, 1), number(0, 1), number(items.length, 2), ...places),
  )
}

function canEncode(): boolean {
  try {
    return execFileSync('heif-enc', ['--list-encoders'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).includes('x265')
  } catch {
    return false
  }
}
