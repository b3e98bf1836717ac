import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import type { CpnError } from '../../../../../src/common/errors.ts'
import type { SidecarOptions } from '../../../../../src/runs/sinks/results.ts'
import { writeSidecars } from '../../../../../src/runs/sinks/xmp/sidecars.ts'
import { drawnPhoto } from '../../../../helpers/drawn-images.ts'
import { exiftool, exiftoolMissing, readXmp } from '../../../../helpers/exiftool.ts'
import { namedFace, type Recorded, RecordedRun } from '../../../../helpers/recorded-results.ts'

const inOut: SidecarOptions = { sidecars: 'out', sidecarNames: 'full' }
const besideOriginals: SidecarOptions = { sidecars: 'originals', sidecarNames: 'full' }

/** Draws a file for each picture, as large as it is said to be. */
async function photos(recorded: Recorded[], orientation = 1): Promise<RecordedRun> {
  const run = new RecordedRun(recorded)
  for (const { name, width = 400, height = 300 } of recorded) {
    const turned = orientation > 4
    const size = { width: turned ? height : width, height: turned ? width : height }
    mkdirSync(dirname(join(run.folder, name)), { recursive: true })
    writeFileSync(join(run.folder, name), await drawnPhoto({ ...size, squares: [], orientation }))
  }
  return run
}

/** @param results those of another run over the same pictures */
async function write(run: RecordedRun, options: SidecarOptions, results = run.results): Promise<CpnError[]> {
  const told: CpnError[] = []
  await writeSidecars({ ...results, out: run.out }, options, (error) => told.push(error))
  return told
}

/** As another program writes a sidecar. */
const labelled = (label: string) => `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
    xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Label="${label}"/></rdf:RDF>`

const sidecars = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.xmp'))
    .sort()

describeExiftool('exiftool reads regions, names and keywords', async () => {
  using run = await photos([
    { name: 'deep/er/a.jpg', faces: [namedFace([100, 75, 40, 60], 'Zoë Ånn'), namedFace([0, 0, 20, 30])] },
  ])
  assert.deepEqual(await write(run, inOut), [])
  const xmp = readXmp(join(run.out, 'deep/er/a.jpg.xmp'))
  const area = (X: number, Y: number, W: number, H: number) => ({ X, Y, W, H, Unit: 'normalized' })
  const written = (xmp['XMP-mwg-rs:RegionInfo'] as { RegionList: Record<string, unknown>[] }).RegionList
  for (const region of written) delete region.Written
  assert.deepEqual(xmp['XMP-mwg-rs:RegionInfo'], {
    AppliedToDimensions: { W: 400, H: 300, Unit: 'pixel' },
    RegionList: [
      { Area: area(0.3, 0.35, 0.1, 0.2), Name: 'Zoë Ånn', Type: 'Face' },
      { Area: area(0.025, 0.05, 0.05, 0.1), Type: 'Face' },
    ],
  })
  assert.deepEqual([xmp['XMP-dc:Subject']].flat(), ['Zoë Ånn'])
  assert.deepEqual([xmp['XMP-iptcExt:PersonInImage']].flat(), ['Zoë Ånn'])
  assert.deepEqual([xmp['XMP-lr:HierarchicalSubject']].flat(), ['People|Zoë Ånn'])
  assert.deepEqual([xmp['XMP-digiKam:TagsList']].flat(), ['People/Zoë Ånn'])
})

// A face in the upper left quarter of what one sees, and where it is in the picture as it is stored.
const stored: Record<number, [x: number, y: number]> = {
  1: [0.25, 0.1],
  2: [0.75, 0.1],
  3: [0.75, 0.9],
  4: [0.25, 0.9],
  5: [0.1, 0.25],
  6: [0.1, 0.75],
  7: [0.9, 0.75],
  8: [0.9, 0.25],
}
for (const [orientation, [x, y]] of Object.entries(stored)) {
  describeExiftool(
    `regions of a picture with EXIF orientation ${orientation} are those of the stored one`,
    async () => {
      using run = await photos([{ name: 'a.jpg', faces: [namedFace([80, 15, 40, 30])] }], Number(orientation))
      assert.deepEqual(await write(run, inOut), [])
      const { AppliedToDimensions: size, RegionList: list } = readXmp(join(run.out, 'a.jpg.xmp'))[
        'XMP-mwg-rs:RegionInfo'
      ] as {
        AppliedToDimensions: { W: number; H: number }
        RegionList: { Area: { X: number; Y: number; W: number; H: number } }[]
      }
      const turned = Number(orientation) > 4
      assert.deepEqual([size.W, size.H], turned ? [300, 400] : [400, 300])
      const { X, Y, W, H } = list[0]!.Area
      assert.deepEqual([X, Y, W, H], turned ? [x, y, 0.1, 0.1] : [x, y, 0.1, 0.1])
    },
  )
}

describeExiftool('what exiftool wrote into a sidecar before is in it afterwards', async () => {
  using run = await photos([{ name: 'a.jpg', faces: [namedFace([100, 75, 40, 60], 'Ann')] }])
  const sidecar = join(run.folder, 'a.jpg.xmp')
  exiftool(
    '-o',
    sidecar,
    '-XMP-xmp:Rating=4',
    '-XMP-crs:Exposure2012=+1.25',
    '-XMP-crs:HasSettings=true',
    join(run.folder, 'a.jpg'),
  )
  exiftool('-overwrite_original', '-XMP-dc:Subject=holiday', '-XMP-dc:Title-de=Ännchen', sidecar)
  const before = readXmp(sidecar)
  assert.deepEqual(await write(run, besideOriginals), [])
  const after = readXmp(sidecar)
  assert.deepEqual(after['XMP-dc:Subject'], ['holiday', 'Ann'])
  for (const [tag, value] of Object.entries(before)) {
    if (tag !== 'XMP-dc:Subject' && tag !== 'XMP-x:XMPToolkit') assert.deepEqual(after[tag], value, tag)
  }
  assert.equal(after['XMP-crs:Exposure2012'], '+1.25')

  // And back: what exiftool writes afterwards keeps what tells our entries.
  exiftool('-overwrite_original', '-XMP-xmp:Rating=5', sidecar)
  assert.deepEqual(await write(run, besideOriginals), [])
  const again = readXmp(sidecar)
  assert.deepEqual(again['XMP-dc:Subject'], ['holiday', 'Ann'])
  assert.equal((again['XMP-mwg-rs:RegionInfo'] as { RegionList: object[] }).RegionList.length, 1)
})

for (const options of [inOut, besideOriginals]) {
  test(`the same results again write no file anew, sidecars ${options.sidecars}`, async () => {
    using run = await photos([
      { name: 'a.jpg', faces: [namedFace([100, 75, 40, 60], 'Ann')] },
      { name: 'b.jpg', faces: [namedFace([100, 75, 40, 60], 'Ben')] },
    ])
    writeFileSync(join(run.folder, 'b.jpg.xmp'), labelled('Red'))
    const folder = options.sidecars === 'out' ? run.out : run.folder
    const state = () => sidecars(folder).map((file) => statSync(join(folder, file)).ino)
    await write(run, options)
    const before = state()
    assert.deepEqual(await write(run, options), [])
    assert.deepEqual(state(), before)
  })
}

test('a picture without faces gets no sidecar', async () => {
  using run = await photos([{ name: 'a.jpg' }])
  assert.deepEqual(await write(run, inOut), [])
  assert.equal(existsSync(run.out), false)
})

test('a sidecar in OUT has all that the one beside the original has, which stays as it is', async () => {
  using run = await photos([{ name: 'a.jpg', faces: [namedFace([100, 75, 40, 60], 'Ann')] }])
  for (const label of ['Red', 'Green']) {
    writeFileSync(join(run.folder, 'a.jpg.xmp'), labelled(label))
    assert.deepEqual(await write(run, inOut), [])
    assert.equal(readFileSync(join(run.folder, 'a.jpg.xmp'), 'utf8'), labelled(label))
    const text = readFileSync(join(run.out, 'a.jpg.xmp'), 'utf8')
    assert.match(text, new RegExp(`xmp:Label="${label}"`))
    assert.match(text, /<mwg-rs:Name>Ann</)
  }
})

describeExiftool(
  'what another program wrote into a sidecar in OUT outlives one that appears beside the original',
  async () => {
    const box = [100, 75, 40, 60] as [number, number, number, number]
    using run = await photos([{ name: 'a.jpg', faces: [namedFace(box, 'Ann')] }])
    await write(run, inOut)
    const sidecar = join(run.out, 'a.jpg.xmp')
    exiftool('-overwrite_original', '-XMP-xmp:Rating=4', '-XMP-dc:Subject+=holiday', sidecar)
    writeFileSync(join(run.folder, 'a.jpg.xmp'), labelled('Red'))

    using named = new RecordedRun([
      { name: 'a.jpg', source: join(run.folder, 'a.jpg'), faces: [namedFace(box, 'Ben')] },
    ])
    assert.deepEqual(await write(run, inOut, named.results), [])
    const xmp = readXmp(sidecar)
    assert.deepEqual([xmp['XMP-xmp:Rating'], xmp['XMP-dc:Subject']], [4, ['holiday', 'Ben']])

    using nobody = new RecordedRun([{ name: 'a.jpg', source: join(run.folder, 'a.jpg') }])
    assert.deepEqual(await write(run, inOut, nobody.results), [])
    const left = readXmp(sidecar)
    assert.deepEqual([left['XMP-xmp:Rating'], left['XMP-dc:Subject']], [4, ['holiday']])
  },
)

test('a sidecar in OUT that is no XMP is left alone where one lies beside the original, too', async () => {
  using run = await photos([{ name: 'a.jpg', faces: [namedFace([100, 75, 40, 60], 'Ann')] }])
  writeFileSync(join(run.folder, 'a.jpg.xmp'), labelled('Red'))
  mkdirSync(run.out)
  writeFileSync(join(run.out, 'a.jpg.xmp'), 'Rating: 4')
  assert.deepEqual(
    (await write(run, inOut)).map(({ code }) => code),
    ['CPN_ERR_XMP'],
  )
  assert.equal(readFileSync(join(run.out, 'a.jpg.xmp'), 'utf8'), 'Rating: 4')
})

test('a sidecar that is a link stays one, and rights stay, also those of the one it came from', async () => {
  using run = await photos([{ name: 'a.jpg', faces: [namedFace([100, 75, 40, 60], 'Ann')] }])
  const kept = join(run.folder, 'kept.xml')
  writeFileSync(kept, labelled('Red'))
  chmodSync(kept, 0o600)
  const link = join(run.folder, 'a.jpg.xmp')
  symlinkSync('kept.xml', link)
  await write(run, inOut)
  assert.equal(statSync(join(run.out, 'a.jpg.xmp')).mode & 0o777, 0o600)
  await write(run, besideOriginals)
  assert.ok(lstatSync(link).isSymbolicLink())
  assert.match(readFileSync(kept, 'utf8'), /<mwg-rs:Name>Ann</)
  assert.equal(statSync(kept).mode & 0o777, 0o600)
})

test('photo.xmp serves one picture of that name, and the other is told of', async () => {
  const faces = [namedFace([100, 75, 40, 60], 'Ann')]
  using run = await photos([
    { name: 'a.jpg', faces },
    { name: 'a.png', faces },
    { name: 'b.v2.jpg', faces },
  ])
  const told = await write(run, { sidecars: 'out', sidecarNames: 'stem' })
  assert.deepEqual(sidecars(run.out), ['a.xmp', 'b.v2.xmp'])
  assert.deepEqual(
    told.map(({ code }) => code),
    ['CPN_ERR_XMP'],
  )
  assert.match(told[0]!.message, /a\.xmp is left as it is: it belongs to the \.jpg file/)
})

test('a sidecar that is no XMP is left alone, is named, and the rest goes on', async () => {
  const faces = [namedFace([100, 75, 40, 60])]
  using run = await photos(['a', 'b', 'c', 'd'].map((name) => ({ name: `${name}.jpg`, faces })))
  const foreign = { a: 'Rating: 4', b: '', c: Buffer.from([0xff, 0xfe, 0x3c, 0x00]) }
  for (const [name, content] of Object.entries(foreign)) writeFileSync(join(run.folder, `${name}.jpg.xmp`), content)
  const told = await write(run, besideOriginals)
  assert.deepEqual(
    told.map(({ code, message }) => [code, basename(/^(\S+) is left/.exec(message)![1]!)]),
    ['a', 'b', 'c'].map((name) => ['CPN_ERR_XMP', `${name}.jpg.xmp`]),
  )
  for (const [name, content] of Object.entries(foreign)) {
    assert.deepEqual(readFileSync(join(run.folder, `${name}.jpg.xmp`)), Buffer.from(content))
  }
  assert.ok(existsSync(join(run.folder, 'd.jpg.xmp')))
})

test('a folder in which nothing can be written costs its sidecars only', async () => {
  const faces = [namedFace([100, 75, 40, 60])]
  using run = await photos([
    { name: 'a.jpg', faces },
    { name: 'closed/b.jpg', faces },
    { name: 'z.jpg', faces },
  ])
  const closed = join(run.folder, 'closed')
  // Who is root may write anywhere: there, a folder that has the sidecar's name is in the way.
  if (process.getuid!() === 0) mkdirSync(join(closed, 'b.jpg.xmp'))
  else chmodSync(closed, 0o500)
  const told = await write(run, besideOriginals)
  chmodSync(closed, 0o700)
  assert.equal(told.length, 1)
  assert.match(told[0]!.message, /closed\/b\.jpg\.xmp/)
  assert.deepEqual(
    sidecars(run.folder),
    process.getuid!() === 0 ? ['a.jpg.xmp', 'closed/b.jpg.xmp', 'z.jpg.xmp'] : ['a.jpg.xmp', 'z.jpg.xmp'],
  )
})

test('in earlier places what is there of ours is brought up to date, and nothing else is touched or made', async () => {
  const [ann, ben] = [namedFace([100, 75, 40, 60], 'Ann'), namedFace([100, 75, 40, 60], 'Ben')]
  using run = await photos(['a.jpg', 'a.png', 'b.jpg', 'c.jpg'].map((name) => ({ name, faces: [ann] })))
  const stem: SidecarOptions = { sidecars: 'originals', sidecarNames: 'stem' }
  const beside = (name: string) => join(run.folder, name)
  writeFileSync(beside('b.xmp'), labelled('Red'))
  writeFileSync(beside('c.xmp'), 'Rating: 4')
  using first = new RecordedRun([{ name: 'a.jpg', source: beside('a.jpg'), faces: [ann] }])
  await write(run, stem, first.results)
  await write(run, besideOriginals, first.results)

  const later = ['a.jpg', 'a.png', 'b.jpg', 'c.jpg'].map((name) => ({ name, source: beside(name), faces: [ben] }))
  using second = new RecordedRun(later)
  assert.deepEqual(await write(run, { ...inOut, earlierSidecars: [stem, besideOriginals] }, second.results), [])
  assert.deepEqual(sidecars(run.folder), [
    'a.jpg.xmp',
    'a.xmp',
    'b.xmp',
    'c.xmp',
    ...later.map(({ name }) => `out/${name}.xmp`),
  ])
  for (const name of ['a.jpg.xmp', 'a.xmp']) {
    assert.match(readFileSync(beside(name), 'utf8'), /<mwg-rs:Name>Ben</, name)
    assert.doesNotMatch(readFileSync(beside(name), 'utf8'), /Ann/, name)
  }
  assert.equal(readFileSync(beside('b.xmp'), 'utf8'), labelled('Red'))
  assert.equal(readFileSync(beside('c.xmp'), 'utf8'), 'Rating: 4')
})

function describeExiftool(name: string, run: () => Promise<void>): void {
  test(name, { skip: exiftoolMissing }, run)
}

for (const kind of ['objects', 'classify'] as const) {
  test(`a run of ${kind} leaves faces that another one wrote`, async () => {
    using faces = await photos([{ name: 'a.jpg', faces: [namedFace([100, 75, 40, 60], 'Ann')] }])
    const source = join(faces.folder, 'a.jpg')
    await write(faces, besideOriginals)
    const before = readFileSync(`${source}.xmp`, 'utf8')
    assert.match(before, /<mwg-rs:Name>Ann</)
    using other = new RecordedRun([{ name: 'a.jpg', source, objects: [], labels: [] }], kind)
    assert.deepEqual(await write(other, besideOriginals), [])
    assert.equal(readFileSync(`${source}.xmp`, 'utf8'), before)
  })
}
