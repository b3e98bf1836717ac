import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeContent, imageFormat, imageFormats } from '../../../../src/agent/vision/image-format.ts'
import { drawnPhoto } from '../../../helpers/drawn-images.ts'

const bytes = (text: string) => Buffer.from(text, 'latin1')

test('a format is told by content', async () => {
  for (const format of imageFormats) {
    assert.equal(imageFormat(await drawnPhoto({ width: 16, height: 16, squares: [], format })), format)
  }
})

/** A list of one picture, and the picture. */
const icon = (type: string) => `\0\0${type}\0\x01\0\x10\x10\0\0\x01\0\x20\0\x04\0\0\0\x16\0\0\0pixels`

test('what is not read is named', () => {
  const files: [string, RegExp][] = [
    ['BM\x46\0\0\0', /BMP/],
    ['\0\0\0\x18ftypisom\0\0\0\0isommp41', /video/],
    ['%PDF-1.7', /PDF/],
    ['<svg xmlns', /SVG/],
    ['\0\0\0\x0cjP  \r\n', /JPEG 2000/],
    [icon('\x01'), /icon/],
    [icon('\x02'), /cursor/],
    ['', /empty/],
  ]
  for (const [content, what] of files) {
    assert.equal(imageFormat(bytes(content)), undefined)
    assert.match(describeContent(bytes(content)) ?? '', what)
  }
})

test('what is not known is not guessed at, a TGA image with the first bytes of a cursor least of all', () => {
  const header = '\0\0\x02\0\0\0\0\0\0\0\0\0\x10\0\x10\0\x18\0'
  for (const content of ['hello', header + 'x'.repeat(768), icon('\x03'), icon('\x02').slice(0, 12)]) {
    assert.equal(describeContent(bytes(content)), undefined)
  }
})

test('an AVIF is told from a HEIC by any of its brands', () => {
  assert.equal(imageFormat(bytes('\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf')), 'avif')
  assert.equal(imageFormat(bytes('\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf')), 'heic')
  assert.equal(imageFormat(bytes('\0\0\0\x18ftypheic\0\0\0\0mif1heic')), 'heic')
})
