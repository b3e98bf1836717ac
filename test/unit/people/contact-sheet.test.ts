import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contactSheet } from '../../../src/people/contact-sheet.ts'

test('a contact sheet is one page that runs nothing and loads nothing, whatever photos are called', () => {
  const hostile = `"><script>alert(1)</script><img src=x onerror='x'>&.jpg`
  const page = contactSheet(
    'unknown-001',
    [
      { crop: Uint8Array.of(0xff, 0xd8), photo: `a/${hostile}`, file: hostile },
      { crop: undefined, photo: 'javascript:alert(1)', file: 'javascript:alert(1)' },
    ],
    5,
  )
  assert.doesNotMatch(page, /<script|<img src=x|onerror='/)
  const hrefs = [...page.matchAll(/href="([^"]*)"/g)].map(([, href]) => href!)
  assert.equal(hrefs.length, 2)
  for (const href of hrefs) assert.match(href, /^\.\/[\w%.!~*()&#;-]+$/)
  assert.equal(
    new URL(hrefs[1]!, 'file:///out/people/unknown-001/').pathname,
    '/out/people/unknown-001/javascript%3Aalert(1)',
  )
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1]
  assert.match(policy ?? '', /default-src &#39;none&#39;; img-src data:; style-src &#39;sha256-/)
  assert.match(page, /data:image\/jpeg;base64,\/9g=/)
  assert.match(page, /5 faces, of which these 2 are typical/)
})
