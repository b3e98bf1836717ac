import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { copyName } from '../../src/runs/copy-name.ts'
import { writePage } from '../../src/runs/sinks/page.ts'
import type { Results } from '../../src/runs/sinks/results.ts'
import { drawnPhoto } from '../helpers/drawn-images.ts'
import { namedFace, type Recorded, RecordedRun } from '../helpers/recorded-results.ts'

const program = '/usr/bin/chromium'
const missing = existsSync(program) ? false : 'needs chromium'

const hostile = `"><img src=x onerror="window.ran=1"><script>window.ran=1</script></script><!--{{style}}$&'`

const recorded: Recorded[] = [
  { name: 'a/Ann.jpg', faces: [namedFace([100, 50, 80, 80], 'Ann', 0.71), namedFace([250, 50, 80, 80])] },
  { name: 'a/both.jpg', faces: [namedFace([100, 50, 80, 80], 'Ann'), namedFace([250, 50, 80, 80], 'Бен')] },
  { name: 'b/nobody.HEIC' },
  { name: 'b/stranger.jpg', faces: [namedFace([100, 50, 80, 80])] },
  { name: `c/${hostile.replaceAll('/', ':')}.jpg`, faces: [namedFace([1, 1, 50, 50], hostile)] },
  { name: 'd/100% #1?&=+.jpg' },
  { name: 'z/cut.jpg', error: { code: 'CPN_ERR_IMAGE_DECODE', message: `cut off ${hostile}` } },
]

describe('the page of results', { skip: missing }, () => {
  let browser: Browser
  before(async () => {
    const args = process.getuid!() === 0 ? ['--no-sandbox'] : []
    browser = await chromium.launch({ executablePath: program, args })
  })
  after(() => browser.close())

  /** Opens the page of a run; it must not complain, and ask for nothing outside its folder. */
  async function opened(
    results: Results,
    look: (page: Page) => Promise<void>,
    viewport = { width: 1280, height: 800 },
  ): Promise<void> {
    mkdirSync(results.out, { recursive: true })
    await writePage(results)
    const folder = pathToFileURL(results.out).href
    const complaints: string[] = []
    const page = await browser.newPage({ viewport })
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('request', (request) => {
      if (!request.url().startsWith(`${folder}/`) && !request.url().startsWith('data:')) complaints.push(request.url())
    })
    try {
      await page.goto(`${folder}/index.html`)
      await page.locator('#shown').filter({ hasText: /\d/ }).waitFor()
      await look(page)
      assert.deepEqual(complaints, [])
      assert.equal(await page.evaluate('window.ran'), undefined)
    } finally {
      await page.close()
    }
  }

  const thumbnail = () => drawnPhoto({ width: 240, height: 180, squares: [[60, 30, 50]] })

  test('filters, people and the search show what they say', async () => {
    const picture = await thumbnail()
    using run = new RecordedRun(recorded.map((each) => ({ ...each, thumbnail: picture })))
    await opened({ ...run.results, copies: false }, async (page) => {
      const shown = () =>
        page.locator('.photo').evaluateAll((cards) => cards.map((card) => card.ariaLabel!.split(',')[0]))
      const filter = (name: string) => page.locator(`[data-filter=${name}]`).click()
      assert.equal(await page.locator('#counts').innerText(), '6 photos · 6 faces · 3 people · 1 failed')
      assert.equal((await shown()).length, 6)
      await filter('named')
      assert.deepEqual((await shown()).slice(0, 2), ['a/Ann.jpg', 'a/both.jpg'])
      assert.equal((await shown()).length, 3)
      await filter('unknown')
      assert.deepEqual(await shown(), ['a/Ann.jpg', 'b/stranger.jpg'])
      await filter('none')
      assert.deepEqual(await shown(), ['b/nobody.HEIC', 'd/100% #1?&=+.jpg'])
      assert.equal(await page.locator('[data-filter=none]').getAttribute('aria-pressed'), 'true')
      await filter('failed')
      assert.deepEqual(await page.locator('.failure').allInnerTexts(), [
        `z/cut.jpg\ncut off ${hostile}\nCPN_ERR_IMAGE_DECODE`,
      ])
      const people = page.locator('#people button')
      assert.deepEqual(await people.locator('.name').allInnerTexts(), ['Ann', hostile, 'Бен'])
      await people.first().click()
      assert.deepEqual(await shown(), ['a/Ann.jpg', 'a/both.jpg'])
      assert.equal(await page.locator('#shown').innerText(), '2 photos of Ann')
      await people.first().click()
      await page.locator('#search').fill('бен ANN')
      await page
        .locator('#shown')
        .filter({ hasText: /^1 photo$/ })
        .waitFor()
      assert.deepEqual(await shown(), ['a/both.jpg'])
    })
  })

  test('a photo opens and closes by keys, with the names, and goes on to the next', async () => {
    const picture = await thumbnail()
    using run = new RecordedRun(recorded.map((each) => ({ ...each, thumbnail: picture })))
    await opened({ ...run.results, copies: false }, async (page) => {
      const caption = page.locator('figcaption')
      await page.locator('.photo').first().focus()
      await page.keyboard.press('Enter')
      assert.match(await caption.innerText(), /^Ann, unknown\s+Similarity: Ann 0\.71\s+a\/Ann\.jpg$/)
      await page.keyboard.press('ArrowRight')
      assert.match(await caption.innerText(), /^Ann, Бен/)
      await page.keyboard.press('ArrowLeft')
      await page.keyboard.press('ArrowLeft')
      assert.match(await caption.innerText(), /^Ann, unknown/)
      await page.keyboard.press('Escape')
      assert.equal(await page.locator('dialog').isVisible(), false)
      assert.match((await page.evaluate('document.activeElement.ariaLabel')) as string, /^a\/Ann\.jpg/)
    })
  })

  test('without small pictures the copies beside the page are shown, whatever they are called', async () => {
    using run = new RecordedRun(recorded)
    for (const { name, error } of recorded) {
      if (error) continue
      mkdirSync(dirname(join(run.out, name)), { recursive: true })
      writeFileSync(join(run.out, copyName(name)), await thumbnail())
    }
    await opened(run.results, async (page) => {
      await page.waitForFunction(
        "document.querySelectorAll('.photo img').length === 6 && [...document.querySelectorAll('.photo img')].every((image) => image.naturalWidth > 0)",
      )
      await page.locator('.photo').last().click()
      await page.waitForFunction("document.querySelector('.stage img').naturalWidth === 240")
      assert.equal(await page.locator('figcaption a').getAttribute('href'), './d/100%25%20%231%3F%26%3D%2B.jpg')
    })
  })

  test('nothing is wider than a phone', async () => {
    using run = new RecordedRun([...recorded, { name: `${'long'.repeat(40)}.jpg`, error: recorded.at(-1)!.error! }])
    const look = async (page: Page) => {
      for (const filter of ['photos', 'failed']) {
        await page.locator(`[data-filter=${filter}]`).click()
        assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 390, filter)
      }
    }
    await opened({ ...run.results, copies: false }, look, { width: 390, height: 844 })
  })

  test('of very many inputs the first ones are listed, and the numbers are of all', async () => {
    const many = Array.from({ length: 10_200 }, (_, index) => ({ name: `${String(index).padStart(5, '0')}.jpg` }))
    using run = new RecordedRun([...many, { name: 'zz.jpg', faces: [namedFace([1, 1, 9, 9], 'Last')] }])
    await opened({ ...run.results, copies: false }, async (page) => {
      assert.match(
        await page.locator('#counts').innerText(),
        /^10,201 photos · 1 face · 1 person · the first 10,000 files/,
      )
      assert.equal(await page.locator('#shown').innerText(), '10,000 photos')
      // Not all of them are drawn before they are looked for.
      assert.ok((await page.locator('.photo').count()) <= 400)
      await page.locator('#search').fill('09999')
      await page
        .locator('#shown')
        .filter({ hasText: /^1 photo$/ })
        .waitFor()
    })
  })
})
