// npm run record: runs `npm run demo` on a terminal and makes the pictures of README.md of it, in docs/pictures: the session
// (demo.cast, demo.svg), a photo with names (photo.jpg) and the page of results (page.jpg). They show drawn people only.
// Needs chromium and util-linux's script.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'
import { record, toAsciicast } from './asciicast.ts'
import { play } from './screen-lines.ts'
import { toSvg } from './svg.ts'

const root = join(import.meta.dirname, '../../')
const to = join(root, 'docs/pictures')
const out = join(root, 'cpn-demo')
const command = 'npm run demo'
const size = { columns: 100, rows: 32 }
/** Played so many times faster than it was. */
const speed = 2
/** How often the session is looked at, in seconds of the picture. */
const interval = 0.2

interface Line {
  path: string
  faces?: { person: string | null }[]
}

const recording = await record(command, { ...size, cwd: root, env: process.env })
// Where a checkout lies is nobody's business.
for (const event of recording.events) event.text = event.text.replaceAll(root, '/home/me/cpn/')
const session = await play(recording, interval * speed)
if (recording.exitCode !== 0) {
  console.error(session.transcript.join('\n'))
  throw new Error(`${command} ended with ${recording.exitCode}`)
}
mkdirSync(to, { recursive: true })
writeFileSync(join(to, 'demo.cast'), toAsciicast(recording))
writeFileSync(join(to, 'demo.svg'), toSvg(session, { ...size, speed, title: `A terminal session: ${command}` }))
copyFileSync(join(out, fullestPhoto()), join(to, 'photo.jpg'))
await photographPage()
rmSync(out, { recursive: true })

/** The photo that names most people, and of those the one with most strangers. */
function fullestPhoto(): string {
  const lines = readFileSync(join(out, 'predictions.jsonl'), 'utf8').trim().split('\n')
  const named = ({ faces = [] }: Line) => faces.filter(({ person }) => person !== null).length
  const photos = lines.map((line) => JSON.parse(line) as Line)
  const worth = (photo: Line) => 100 * named(photo) + (photo.faces?.length ?? 0)
  return photos.reduce((best, photo) => (worth(photo) > worth(best) ? photo : best)).path
}

async function photographPage(): Promise<void> {
  const args = process.getuid!() === 0 ? ['--no-sandbox'] : []
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args })
  try {
    const page = await browser.newPage({ viewport: { width: 1200, height: 760 } })
    await page.goto(pathToFileURL(join(out, 'index.html')).href, { waitUntil: 'load' })
    await page.screenshot({ path: join(to, 'page.jpg'), type: 'jpeg', quality: 85 })
  } finally {
    await browser.close()
  }
}
