import assert from 'node:assert/strict'
import { test } from 'node:test'
import sharp from 'sharp'
import { readJpegHeader } from '../../../../src/agent/vision/jpeg-header.ts'
import { insertMetadata } from '../../../../src/agent/vision/jpeg-metadata.ts'

const plain = () => sharp({ create: { width: 40, height: 30, channels: 3, background: 'teal' } })

test('size, components and precision are read', async () => {
  const colour = readJpegHeader(await plain().jpeg().toBuffer())
  assert.deepEqual([colour?.width, colour?.height, colour?.components, colour?.precision], [40, 30, 3, 8])
  const grey = readJpegHeader(await plain().toColourspace('b-w').jpeg({ progressive: true }).toBuffer())
  assert.equal(grey?.components, 1)
  const cmyk = readJpegHeader(await plain().toColourspace('cmyk').jpeg().toBuffer())
  assert.equal(cmyk?.components, 4)
})

test('metadata that is put in is read again, by us and by others', async () => {
  const exif = Buffer.from('II*\0\b\0\0\0\0\0\0\0\0\0', 'latin1')
  // Longer than two segments.
  const icc = Buffer.alloc(150_000, 7)
  const jpeg = insertMetadata(await plain().jpeg().toBuffer(), exif, icc)
  const header = readJpegHeader(jpeg)
  assert.deepEqual(Buffer.from(header!.exif!), exif)
  assert.deepEqual(Buffer.from(header!.icc!), icc)
  const metadata = await sharp(jpeg).metadata()
  assert.deepEqual([metadata.width, metadata.height, metadata.icc?.length], [40, 30, 150_000])
})

test('metadata too long for a JPEG is left out', async () => {
  const jpeg = await plain().jpeg().toBuffer()
  assert.deepEqual(insertMetadata(jpeg, Buffer.alloc(70_000), Buffer.alloc(17_000_000)), jpeg)
})

test('a broken file has no header, wherever it breaks', async () => {
  const jpeg = insertMetadata(await plain().jpeg().toBuffer(), Buffer.alloc(20), Buffer.alloc(200))
  for (let length = 0; length < jpeg.length; length++) readJpegHeader(jpeg.subarray(0, length))
  assert.equal(readJpegHeader(jpeg.subarray(0, 100)), undefined)
  assert.equal(readJpegHeader(Buffer.alloc(1000, 0xff)), undefined)
})
