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

test('what is not read is named', () => {
  const files: [string, RegExp][] = [
    ['BM\x46\0\0\0', /BMP/],
    ['\0\0\0\x18ftypheic\0\0\0\0mif1heic', /HEIC/],
    ['\0\0\0\x18ftypmif1\0\0\0\0mif1heic', /HEIC/],
    ['\0\0\0\x18ftypisom\0\0\0\0isommp41', /video/],
    ['%PDF-1.7', /PDF/],
    ['<svg xmlns', /SVG/],
    ['\0\0\0\x0cjP  \r\n', /JPEG 2000/],
    ['hello', /no image/],
    ['', /empty/],
  ]
  for (const [content, what] of files) {
    assert.equal(imageFormat(bytes(content)), undefined)
    assert.match(describeContent(bytes(content)), what)
  }
})

test('an AVIF is told from a HEIC by any of its brands', () => {
  assert.equal(imageFormat(bytes('\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf')), 'avif')
  assert.equal(imageFormat(bytes('\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf')), undefined)
})
