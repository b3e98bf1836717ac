import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import sharp from 'sharp'
import { readOrientation } from '../../../../../src/runs/sinks/xmp/orientation.ts'
import { drawnPhoto } from '../../../../helpers/drawn-images.ts'
import { drawnRaw, rawKinds } from '../../../../helpers/drawn-raw.ts'
import { exiftool, exiftoolMissing } from '../../../../helpers/exiftool.ts'
import { box, number } from '../../../../helpers/iso-writer.ts'
import { tempFolder } from '../../../../helpers/temp-folder.ts'
import { writeTiff } from '../../../../helpers/tiff-writer.ts'

const orientation = 6
const camera = [
  { tag: 271, text: 'Drawn' },
  { tag: 274, short: [orientation] },
]

async function readFrom(name: string, content: Buffer): Promise<number | undefined> {
  using folder = tempFolder()
  const file = join(folder.path, name)
  writeFileSync(file, content)
  const told = await readOrientation(file)
  // Files that we draw ourselves are what exiftool takes them for.
  if (!exiftoolMissing && told !== undefined)
    assert.equal(exiftool('-s3', '-n', '-Orientation', file).trim(), `${told}`)
  return told
}

for (const format of ['tiff', 'webp'] as const) {
  test(`a large ${format} says it at its end`, async () => {
    const [width, height] = [1000, 400]
    const noise = { type: 'gaussian' as const, mean: 128, sigma: 60 }
    const image = sharp({ create: { width, height, channels: 3, background: 'black', noise } }).withMetadata({
      orientation,
    })
    const bytes = await (format === 'tiff'
      ? image.tiff({ compression: 'none' })
      : image.webp({ lossless: true })
    ).toBuffer()
    assert.ok(bytes.length > 2 * 256 * 1024)
    assert.equal(await readFrom(`a.${format}`, bytes), orientation)
  })
}

test('raw photos say it where their kind has it', async () => {
  const preview = {
    jpeg: await drawnPhoto({ width: 640, height: 480, squares: [], orientation }),
    width: 640,
    height: 480,
  }
  for (const kind of rawKinds) {
    assert.equal(await readFrom(`a.${kind}`, await drawnRaw({ kind, preview, orientation })), orientation, kind)
  }
  const canon = Buffer.from('85c0b687820f11e08111f4ce462b6a48', 'hex')
  const raf = Buffer.alloc(160)
  raf.write('FUJIFILMCCD-RAW 0201FF383501')
  raf.writeUInt32BE(raf.length, 84)
  raf.writeUInt32BE(preview.jpeg.length, 88)
  const files = {
    'a.raf': Buffer.concat([raf, preview.jpeg]),
    'a.cr3': Buffer.concat([
      box('ftyp', Buffer.from('crx '), number(1), Buffer.from('crx isom')),
      box('moov', box('uuid', canon, box('CMT1', writeTiff([camera])))),
    ]),
    'a.orf': writeTiff([camera], Buffer.from('RO')),
    'a.rw2': writeTiff([camera], Buffer.from('U\0')),
  }
  for (const [name, content] of Object.entries(files)) assert.equal(await readFrom(name, content), orientation, name)
})

test('a raw photo that does not say it has none, other pictures are upright then', async () => {
  for (const start of ['FUJIFILMCCD-RAW ', '\0\0\0\x18ftypcrx ', 'IIRO', 'MMOR', 'IIU\0']) {
    for (const length of [4, 100, 4096]) {
      const content = Buffer.alloc(Math.max(length, start.length))
      content.write(start, 'latin1')
      assert.equal(await readFrom('a.raw', content), undefined, start)
    }
  }
  for (const format of ['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'] as const) {
    const content = await drawnPhoto({ width: 64, height: 48, squares: [], format })
    using folder = tempFolder()
    writeFileSync(join(folder.path, 'a'), content)
    assert.equal(await readOrientation(join(folder.path, 'a')), 1, format)
  }
})
