import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import sharp from 'sharp'
import type { CpnError } from '../../../../../src/common/errors.ts'
import { replacePacket } from '../../../../../src/runs/sinks/xmp/jpeg-segments.ts'
import { writeIntoOriginals } from '../../../../../src/runs/sinks/xmp/originals.ts'
import { drawnPhoto } from '../../../../helpers/drawn-images.ts'
import { exiftool, exiftoolMissing, readXmp } from '../../../../helpers/exiftool.ts'
import { namedFace, type Recorded, RecordedRun } from '../../../../helpers/recorded-results.ts'

const faces = [namedFace([100, 75, 40, 60], 'Ann')]

/** Files of the given contents, with results for what they are now. */
function originals(files: Record<string, Buffer>, more: Partial<Recorded> = {}): RecordedRun {
  const recorded = Object.entries(files).map(([name, content]) => ({
    name,
    faces,
    sha256: createHash('sha256').update(content).digest('hex'),
    ...more,
  }))
  const run = new RecordedRun(recorded)
  for (const [name, content] of Object.entries(files)) writeFileSync(join(run.folder, name), content)
  return run
}

async function write(run: RecordedRun): Promise<CpnError[]> {
  const told: CpnError[] = []
  await writeIntoOriginals(run.results, (error) => told.push(error))
  return told
}

const photo = () => drawnPhoto({ width: 400, height: 300, squares: [[20, 20, 60]], orientation: 1 })

/** Segments as [marker, content], and all that follows them. */
function dissect(jpeg: Buffer): { segments: [number, string][]; rest: string } {
  const segments: [number, string][] = []
  let at = 2
  for (; jpeg[at + 1] !== 0xda; at += 2 + jpeg.readUInt16BE(at + 2)) {
    segments.push([jpeg[at + 1]!, jpeg.toString('latin1', at + 4, at + 2 + jpeg.readUInt16BE(at + 2))])
  }
  return { segments, rest: jpeg.toString('latin1', at) }
}

test('a JPEG gets one segment more, and every other byte is what it was', { skip: exiftoolMissing }, async () => {
  const before = Buffer.concat([await photo(), Buffer.from('something behind the picture')])
  using run = originals({ 'a.jpg': before })
  const file = join(run.folder, 'a.jpg')
  chmodSync(file, 0o640)
  assert.deepEqual(await write(run), [])
  const after = readFileSync(file)
  const was = dissect(before)
  const is = dissect(after)
  assert.equal(is.rest, was.rest)
  assert.deepEqual(
    is.segments.filter(([, content]) => !content.startsWith('http://ns.adobe.com/xap/')),
    was.segments,
  )
  assert.match(is.segments[0]![1], /^(?:JFIF|Exif)/)
  assert.equal(statSync(file).mode & 0o777, 0o640)
  assert.deepEqual(await sharp(after).raw().toBuffer(), await sharp(before).raw().toBuffer())
  assert.deepEqual([readXmp(file)['XMP-dc:Subject']].flat(), ['Ann'])
  assert.match(exiftool('-validate', '-warning', '-a', file), /Validate\s*: OK/)
})

test('what a JPEG’s own XMP said stays, long packets included', { skip: exiftoolMissing }, async () => {
  using run = originals({ 'a.jpg': await photo() })
  const file = join(run.folder, 'a.jpg')
  const title = 'x'.repeat(100_000)
  exiftool(
    '-overwrite_original',
    '-XMP-xmp:Rating=3',
    '-XMP-crs:HasSettings=true',
    `-XMP-dc:Description=${title}`,
    file,
  )
  using again = new RecordedRun([{ name: 'a.jpg', source: file, faces, sha256: digest(file) }])
  assert.deepEqual(await write(again), [])
  const xmp = readXmp(file)
  assert.deepEqual([xmp['XMP-xmp:Rating'], xmp['XMP-dc:Description']], [3, title])
  assert.equal((xmp['XMP-mwg-rs:RegionInfo'] as { RegionList: object[] }).RegionList.length, 1)
})

test('the same results again leave the file alone, though it is another one now', async () => {
  using run = originals({ 'a.jpg': await photo() })
  await write(run)
  const { ino } = statSync(join(run.folder, 'a.jpg'))
  assert.deepEqual(await write(run), [])
  assert.equal(statSync(join(run.folder, 'a.jpg')).ino, ino)
})

test('a file that changed since it was looked at is left alone and told of', async () => {
  using run = originals({ 'a.jpg': await photo() })
  const other = await drawnPhoto({ width: 400, height: 300, squares: [] })
  writeFileSync(join(run.folder, 'a.jpg'), other)
  assert.deepEqual(
    (await write(run)).map(({ code }) => code),
    ['CPN_ERR_INPUT_UNREADABLE'],
  )
  assert.deepEqual(readFileSync(join(run.folder, 'a.jpg')), other)
})

test('a link stays a link, and other formats stay as they are', async () => {
  const png = await drawnPhoto({ width: 400, height: 300, squares: [], format: 'png' })
  using run = originals({ 'a.png': png, 'b.jpg': await photo() })
  const link = join(run.folder, 'link.jpg')
  symlinkSync('b.jpg', link)
  using linked = new RecordedRun([{ name: 'link.jpg', source: link, faces, sha256: digest(link) }])
  assert.deepEqual(await write(linked), [])
  assert.ok(lstatSync(link).isSymbolicLink())
  assert.match(readFileSync(join(run.folder, 'b.jpg'), 'latin1'), /<mwg-rs:Name>Ann</)
  await write(run)
  assert.deepEqual(readFileSync(join(run.folder, 'a.png')), png)
})

test('metadata that is damaged or too long is left as it is, and the rest goes on', async () => {
  const good = await photo()
  const noXmp = replacePacket(good, 'no XMP')
  const full = replacePacket(
    good,
    `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
    xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="${'x'.repeat(65_000)}"/></rdf:RDF>`,
  )
  const cut = Buffer.concat([good.subarray(0, 2), Buffer.from([0xff, 0xe1, 0xff, 0xff, 1])])
  using run = originals({ 'a.jpg': noXmp, 'b.jpg': full, 'c.jpg': cut, 'd.jpg': good })
  const told = await write(run)
  assert.deepEqual(
    told.map(({ code }) => code),
    ['CPN_ERR_XMP', 'CPN_ERR_XMP', 'CPN_ERR_XMP'],
  )
  for (const [name, content] of Object.entries({ 'a.jpg': noXmp, 'b.jpg': full, 'c.jpg': cut })) {
    assert.deepEqual(readFileSync(join(run.folder, name)), content)
  }
  assert.match(readFileSync(join(run.folder, 'd.jpg'), 'latin1'), /<mwg-rs:Name>Ann</)
})

const digest = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex')
