import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { copyName } from '../../src/runs/copy-name.ts'
import type { LabelledObject } from '../../src/runs/labelled.ts'
import { writePage } from '../../src/runs/sinks/page.ts'
import type { Results } from '../../src/runs/sinks/results.ts'
import { drawnPhoto } from '../helpers/drawn-images.ts'
import { project } from '../helpers/project.ts'
import { namedFace, type Recorded, RecordedRun } from '../helpers/recorded-results.ts'
import { readPredictions } from '../helpers/run-output.ts'
import { shared, sharedMissing } from '../helpers/shared.ts'

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

  /** Opens the page of a run that is recorded only. */
  async function opened(
    results: Results,
    look: (page: Page) => Promise<void>,
    viewport?: { width: number; height: number },
  ): Promise<void> {
    mkdirSync(results.out, { recursive: true })
    await writePage(results)
    await openedIn(results.out, look, viewport)
  }

  /** Opens the page in a folder; it must not complain, and ask for nothing outside its folder. */
  async function openedIn(
    out: string,
    look: (page: Page) => Promise<void>,
    viewport = { width: 1280, height: 800 },
  ): Promise<void> {
    const folder = pathToFileURL(out).href
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
      const people = page.locator('#names button')
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

  const shownIn = (page: Page) => page.locator('.photo').evaluateAll((cards) => cards.map((card) => card.ariaLabel!))

  test('objects are listed by label, framed where they are, and searched for', async () => {
    const picture = await thumbnail()
    const object = (label: string, box: LabelledObject['box']): LabelledObject => ({ box, score: 0.9, label })
    const objects = [object('person', [10, 20, 100, 200]), object(hostile, [200, 50, 150, 100])]
    const things: Recorded[] = [
      { name: 'a.jpg', objects: [...objects, object('person', [100, 20, 50, 80])] },
      { name: 'b.jpg', objects: [object('person', [1, 2, 30, 40])] },
      { name: 'c.jpg', objects: [] },
    ]
    using run = new RecordedRun(
      things.map((each) => ({ ...each, thumbnail: picture })),
      'objects',
    )
    await opened({ ...run.results, copies: false }, async (page) => {
      assert.equal(await page.locator('#counts').innerText(), '3 photos · 4 objects · 2 labels')
      assert.equal(await page.locator('#names h2').innerText(), 'Objects')
      const filters = page.locator('#filters button')
      assert.deepEqual(await filters.allInnerTexts(), ['Photos3', 'No objects1'])
      const labels = page.locator('#names button')
      assert.deepEqual(await labels.allInnerTexts(), ['person\n2', `${hostile}\n1`])
      assert.deepEqual(await shownIn(page), [`a.jpg, 2 × person, ${hostile}`, 'b.jpg, person', 'c.jpg'])
      const framed = page.locator('.photo').first().locator('.boxes rect')
      await framed.first().waitFor()
      assert.equal(await framed.count(), 3)
      // Where it is in the picture that fills the card: 200 of 400 pixels to the right, 150 of them wide.
      const card = (await page.locator('.photo').first().boundingBox())!
      const frame = (await framed.nth(1).boundingBox())!
      assert.ok(Math.abs((frame.x - card.x) / card.width - 200 / 400) < 0.02)
      assert.ok(Math.abs(frame.width / card.width - 150 / 400) < 0.03)
      await labels.last().click()
      assert.deepEqual(await shownIn(page), [`a.jpg, 2 × person, ${hostile}`])
      await framed.first().waitFor()
      assert.equal(await framed.count(), 1)
      await page.locator('.photo').click()
      assert.match(await page.locator('figcaption').innerText(), /^2 × person, .*\s+Score: person 0\.90, /)
      assert.equal(await page.locator('.stage .boxes rect').count(), 1)
      await page.keyboard.press('Escape')
      await labels.last().click()
      await page.locator('#search').fill('person b.jpg')
      await page
        .locator('#shown')
        .filter({ hasText: /^1 photo$/ })
        .waitFor()
    })
  })

  test('a photo is listed under its likeliest label and found by the others', async () => {
    const labels = (...names: string[]) => names.map((label, index) => ({ label, score: 0.5 / (index + 1) }))
    using run = new RecordedRun(
      [
        { name: 'a.jpg', labels: labels('tabby', 'tiger cat') },
        { name: 'b.jpg', labels: labels('tench', 'tabby') },
      ],
      'classify',
    )
    await opened({ ...run.results, copies: false }, async (page) => {
      assert.equal(await page.locator('#counts').innerText(), '2 photos · 2 labels')
      assert.deepEqual(await page.locator('#names button').allInnerTexts(), ['t\ntabby\n1', 't\ntench\n1'])
      await page.locator('#search').fill('tiger')
      await page
        .locator('#shown')
        .filter({ hasText: /^1 photo$/ })
        .waitFor()
      assert.deepEqual(await shownIn(page), ['a.jpg, tabby'])
      await page.locator('.photo').click()
      assert.match(await page.locator('figcaption').innerText(), /^tabby\s+Score: tabby 0\.50, tiger cat 0\.25/)
      assert.equal(await page.locator('.boxes').count(), 0)
    })
  })

  test('what the model finds on photographs is in all results', { skip: sharedMissing, timeout: 180_000 }, async () => {
    await using home = project()
    symlinkSync(shared('photos', 'objects'), join(home.folder, 'photos'))
    const asked = ['predict', 'photos/', '--pipeline', 'objects', '--score-threshold', '0.5', '--out', 'found', '--yes']
    await home.ok([...asked, '--format', 'csv,coco'])
    const out = join(home.folder, 'found')
    const { annotations, categories } = JSON.parse(readFileSync(join(out, 'coco.json'), 'utf8'))
    const found = readPredictions(out).flatMap(({ objects }) => objects!.map(({ label }) => label))
    const names = new Map(categories.map(({ id, name }: { id: number; name: string }) => [id, name]))
    assert.deepEqual(
      annotations.map(({ category_id }: { category_id: number }) => names.get(category_id)),
      found,
    )
    const lines = readFileSync(join(out, 'predictions.csv'), 'utf8').split('\r\n')
    assert.equal(lines.filter((line) => /,bus,/.test(line)).length, 1)
    const labels = new Set(found).size
    await openedIn(out, async (page) => {
      assert.equal(await page.locator('#counts').innerText(), `5 photos · ${found.length} objects · ${labels} labels`)
      await page.locator('#names button', { hasText: 'bus' }).click()
      assert.deepEqual(await shownIn(page), ['bus.jpg, bus, 3 × person'])
      await page.locator('.photo .boxes rect').waitFor()
    })
    const refused = await home.cpn([...asked, '--format', 'xmp'])
    assert.equal(refused.exitCode, 2)
    assert.match(refused.stderr, /--format xmp means nothing to the pipeline objects/)
    await home.ok(['unprovision', 'all', '--yes'])
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
