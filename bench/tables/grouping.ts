// Unknown faces of a large run: what `cpn people groups` takes to group them, and to make folders and contact sheets.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import sharp from 'sharp'
import type { AppliedRun } from '../../src/actions/people/apply-people.ts'
import type { GroupsOfRun } from '../../src/actions/people/unknown-groups.ts'
import { mobilefacenet112 } from '../../src/models/catalogue/mobilefacenet-112.ts'
import { encodePeople } from '../../src/people/people-file.ts'
import { encodeRecord } from '../../src/runs/job-record.ts'
import { type LedgerChange, openLedger } from '../../src/runs/ledger.ts'
import { embeddingNear, randomEmbedding, seededRandom } from '../../test/helpers/embeddings.ts'
import { type Project, project } from '../../test/helpers/project.ts'
import type { Report } from '../report.ts'

const faces = Number(process.env.CPN_BENCH_FACES ?? 100_000)
const facesOfPhoto = 2
const enrolled = 1000
/** Photos of one commit. */
const batch = 1000
const sampleMs = 100

export async function measure(): Promise<Report> {
  await using home = project()
  await home.ok(['hosts', 'add', 'here', '--transport', 'local'])
  const crowd = await writeRun(home)
  const first = await timedGroups(home)
  const again = await timedGroups(home)
  const { groups } = first.found
  const grouped = groups.reduce((sum, { faces }) => sum + faces, 0)
  const folders = readdirSync(join(home.folder, 'out', 'people')).filter((name) => name.startsWith('unknown-'))
  if (folders.length !== groups.length || again.found.groups.length !== groups.length)
    throw new Error('folders are missing')
  enrol(home, crowd.middles.slice(0, enrolled))
  const named = await timedApply(home, [])
  const lower = await timedApply(home, ['--threshold', '0.4'])
  enrol(home, crowd.middles.slice(1, enrolled))
  const removed = await timedApply(home, ['--threshold', '0.4'])
  const row = (what: string, unit: string, value: number) => ({ what, unit, values: [value] })
  return {
    title: `${faces} faces that nobody knows, in ${faces / facesOfPhoto} photos, synthetic`,
    rows: [
      row('cpn people groups: groups, links and contact sheets (floor ≤ 120)', 's', first.seconds),
      row('most memory at any time (floor ≤ 2000)', 'MB', first.megabytes),
      row('cpn people groups again, with nothing to do', 's', again.seconds),
      row(`cpn people apply: ${enrolled} people are enrolled, ${named.changed} photos change`, 's', named.seconds),
      row(`the same with another threshold, ${lower.changed} photos change`, 's', lower.seconds),
      row(`the same with one person fewer, ${removed.changed} photos change`, 's', removed.seconds),
    ],
    ratios: [],
    notes: [
      `${crowd.people} people with 2 to some hundreds of faces and ${crowd.strangers} with one; ${groups.length} groups with ${grouped} faces.`,
      'The photos themselves are not there: links are made all the same, and no pictures are drawn. Every contact sheet has faces as JPEG.',
    ],
  }
}

interface TimedGroups {
  found: GroupsOfRun
  seconds: number
  megabytes: number
}

async function timedGroups(home: Project): Promise<TimedGroups> {
  const started = performance.now()
  const cpn = home.spawn(['people', 'groups', '--json'])
  let running = true
  const exited = cpn.exited.finally(() => {
    running = false
  })
  let megabytes = 0
  while (running) {
    megabytes = Math.max(megabytes, peakOf(cpn.pid))
    await Promise.race([sleep(sampleMs), exited])
  }
  const { exitCode, stdout } = await exited
  if (exitCode !== 0) throw new Error(cpn.describe())
  return { found: JSON.parse(stdout), seconds: (performance.now() - started) / 1000, megabytes }
}

/** People of one photo each, in the place of all that there were. */
function enrol(home: Project, middles: readonly Float32Array[]): void {
  const { name, version, sha256 } = mobilefacenet112
  const photo = {
    source: '/photos/x.jpg',
    sha256,
    face: 0,
    added: '2026-01-01T00:00:00Z',
    facePixels: 90,
    sharpness: 0.04,
    score: 0.9,
  }
  const people = middles.map((embedding, i) => ({ name: `Person ${i}`, photos: [{ ...photo, embedding }] }))
  const folder = join(home.folder, '.cpn', 'people')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(
    join(folder, 'people.ndjson'),
    encodePeople({ version: middles.length, model: { name, version, sha256 }, people }),
  )
}

async function timedApply(home: Project, flags: string[]): Promise<{ changed: number; seconds: number }> {
  const started = performance.now()
  const { stdout } = await home.ok(['people', 'apply', ...flags, '--json'])
  const seconds = (performance.now() - started) / 1000
  const { runs } = JSON.parse(stdout) as { runs: AppliedRun[] }
  return { changed: runs[0]!.changed, seconds }
}

/** Peak resident memory so far; 0 for a process that is gone. */
function peakOf(pid: number): number {
  try {
    const [, kilobytes = 0] = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return (Number(kilobytes) * 1024) / 1e6
  } catch {
    return 0
  }
}

/** A finished run as `predict --pipeline persons` leaves it in the ledger. */
async function writeRun(home: Project): Promise<Crowd> {
  const out = join(home.folder, 'out')
  mkdirSync(out)
  using ledger = openLedger(join(home.folder, '.cpn', 'ledger.db'))
  const { name, version, sha256 } = mobilefacenet112
  const embedder = { model: { name, version, sha256 } }
  const run = ledger.beginRun({
    out,
    options: { paths: ['/photos'], hosts: [], pipelineName: 'persons', pipeline: { annotate: 'none', embedder } },
    pipelineDigest: 'bench',
  })
  const crop = await sharp({
    create: {
      width: 96,
      height: 96,
      channels: 3,
      background: '#987',
      noise: { type: 'gaussian', mean: 128, sigma: 20 },
    },
  })
    .jpeg({ quality: 75 })
    .toBuffer()
  const crowd = new Crowd()
  const photos = faces / facesOfPhoto
  for (let start = 0; start < photos; start += batch) {
    const some = Array.from({ length: Math.min(batch, photos - start) }, (_, i) => start + i)
    ledger.commit(
      run,
      some.flatMap((photo) => changesOf(photo, crop, crowd)),
    )
  }
  ledger.endRun(run, 'finished')
  return crowd
}

function changesOf(photo: number, crop: Buffer, crowd: Crowd): LedgerChange[] {
  const job = photo.toString(16).padStart(64, '0')
  const seen = Array.from({ length: facesOfPhoto }, (_, i) => ({
    box: [10 + i * 100, 10, 80, 90] as [number, number, number, number],
    score: 0.9,
    keypoints: null,
    sharpness: 0.04,
  }))
  const record = encodeRecord({
    width: 640,
    height: 480,
    faces: seen,
    embeddings: seen.map(() => crowd.next()),
    crops: seen.map(() => crop),
  })
  const input = { name: `${photo % 100}/${photo}.jpg`, source: `/photos/${photo % 100}/${photo}.jpg` }
  return [
    { kind: 'found', inputs: [{ ...input, bytes: 1, mtimeMs: 0, ctimeMs: 0, ino: photo }] },
    { kind: 'job', job, state: 'done', ...record },
    { kind: 'input', seq: photo + 1, state: 'done', job, written: 1 },
  ]
}

/** Faces of people of whom most have few and some have hundreds, and of as many who come once. */
class Crowd {
  people = 0
  strangers = 0
  /** What the faces of each person are near. */
  readonly middles: Float32Array[] = []
  readonly #random = seededRandom(7)
  #left = 0
  #middle = randomEmbedding(this.#random)

  next(): Float32Array {
    if (this.#left === 0) {
      this.#middle = randomEmbedding(this.#random)
      // A tail as photo collections have it.
      this.#left = Math.min(500, Math.floor(1 / (1 - this.#random() * 0.998)))
      if (this.#left === 1) this.strangers++
      else {
        this.people++
        this.middles.push(this.#middle)
      }
    }
    this.#left--
    return embeddingNear(this.#middle, 0.8, this.#random)
  }
}
