import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { AppliedRun } from '../../src/actions/people/apply-people.ts'
import type { ForgottenPerson } from '../../src/actions/people/forget-person.ts'
import type { NamedGroup } from '../../src/actions/people/name-group.ts'
import { encodePeople } from '../../src/people/people-file.ts'
import { PeopleStore } from '../../src/people/people-store.ts'
import { fillDisk, mountDisk } from '../fault/lab/small-disk.ts'
import { peopleOf, person } from '../helpers/people.ts'
import type { Project } from '../helpers/project.ts'
import { readPredictions } from '../helpers/run-output.ts'
import { sharedMissing } from '../helpers/shared.ts'
import { slowWorkers, workersOn } from '../helpers/slow-workers.ts'
import { sshdMissing, startSshd } from '../helpers/sshd.ts'
import { until } from '../helpers/until.ts'
import { albumProject, photosOf } from './album-fixture.ts'

const skip = sharedMissing

let home: Project
let album: string

before(async () => {
  if (skip) return
  ;({ home, album } = await albumProject())
  await home.ok(['people', 'add', 'Tony', ...photosOf('Tony_Blair').slice(1, 4), '--force', '--yes'])
})
after(async () => {
  if (skip) return
  await home.ok(['unprovision', 'all', '--yes'])
  await home[Symbol.asyncDispose]()
})

const pictures = (out: string) =>
  new Map(
    readdirSync(out)
      .filter((name) => name.endsWith('.jpg'))
      .sort()
      .map((name) => [name, readFileSync(join(out, name), 'hex')]),
  )
const everything = (out: string) => [pictures(out), readFileSync(join(out, 'predictions.jsonl'), 'utf8')]

/** What a run by the present gallery makes of the album. */
async function fresh(name: string) {
  const out = join(home.folder, name)
  await home.ok(['predict', album, '--out', out])
  return everything(out)
}

const rename = (from: string, to: string) => home.ok(['people', 'rename', from, to])
const apply = () => home.cpn(['people', 'apply', '--run', 'last'])

test('naming again that was killed between two pictures is done by the same command: pictures and lines agree', {
  skip,
  timeout: 180_000,
}, async () => {
  const out = join(home.folder, 'killed')
  const first = await fresh('killed')
  await rename('Tony', 'Anthony')
  const renaming = home.spawn(['people', 'apply', '--run', 'last'])
  await until(
    () =>
      pictures(out)
        .entries()
        .some(([name, bytes]) => (first[0] as Map<string, string>).get(name) !== bytes),
    'a picture is drawn',
  )
  renaming.kill('SIGKILL')
  assert.equal((await renaming.exited).signal, 'SIGKILL')
  assert.equal((await apply()).exitCode, 0)
  const wanted = await fresh('anthony')
  assert.deepEqual(everything(out), wanted)
  assert.ok(readPredictions(out).some(({ faces }) => faces?.some((face) => face.person === 'Anthony')))
  await rename('Anthony', 'Tony')
})

test('pictures whose originals are gone or changed keep what they show, which is told; the rest is done', {
  skip,
  timeout: 180_000,
}, async () => {
  const before = (await fresh('left'))[0] as Map<string, string>
  const [gone = '', changed = '', ...rest] = [...before.keys()].filter((name) => name.startsWith('Tony'))
  const kept = new Map([gone, changed].map((name) => [name, readFileSync(join(album, name))]))
  rmSync(join(album, gone))
  appendFileSync(join(album, changed), 'x')
  await rename('Tony', 'Anton')
  const out = join(home.folder, 'left')
  const partly = await apply()
  assert.equal(partly.exitCode, 7, partly.stderr)
  assert.match(partly.stderr, new RegExp(`${changed} shows the names it showed: .* has changed`))
  assert.match(partly.stderr, new RegExp(`${gone} shows the names it showed`))
  const after = pictures(out)
  for (const name of kept.keys()) assert.equal(after.get(name), before.get(name), name)
  for (const name of rest) assert.notEqual(after.get(name), before.get(name), name)
  for (const [name, bytes] of kept) writeFileSync(join(album, name), bytes)
  assert.equal((await apply()).exitCode, 0)
  assert.deepEqual(everything(out), await fresh('anton'))
  await rename('Anton', 'Tony')
})

test('on a full disk pictures and lines stay as they were, and with space again the same command does it', {
  skip: skip || (process.getuid?.() !== 0 && 'a disk can be mounted by root only'),
  timeout: 180_000,
}, async () => {
  const disk = join(home.folder, 'disk')
  using _disk = mountDisk(disk, 100)
  const out = join(disk, 'out')
  const before = await fresh('disk/out')
  await rename('Tony', 'Blair')
  {
    using _full = fillDisk(disk)
    const full = await apply()
    assert.equal(full.exitCode, 7, full.stderr)
    assert.match(full.stderr, /CPN_ERR_OUTPUT_SPACE/)
    assert.deepEqual(everything(out), before)
  }
  assert.equal((await apply()).exitCode, 0)
  const again = everything(out)
  assert.notDeepEqual(again, before)
  assert.deepEqual(again, await fresh('blair'))
  await rename('Blair', 'Tony')
})

test('a node that is lost for good while it draws is waited for by nobody: what it leaves is told, and done later', {
  skip: skip || sshdMissing,
  timeout: 180_000,
}, async () => {
  await using host = await startSshd({ name: 'node1' })
  await home.addHost(host)
  await home.ok(['provision', 'node1', '--yes'])
  const out = join(home.folder, 'abandoned')
  const before = (await fresh('abandoned'))[0] as Map<string, string>
  await rename('Tony', 'Abel')
  {
    using _slow = slowWorkers(() => workersOn(host), 0.03)
    const applying = home.spawn(['people', 'apply', '--run', 'last', '--hosts', 'node1', '--json'])
    await until(
      () =>
        pictures(out)
          .entries()
          .some(([name, bytes]) => before.get(name) !== bytes),
      'a picture is drawn',
    )
    await host.rotateHostKey()
    const { exitCode, stdout, stderr } = await applying.exited
    assert.equal(exitCode, 7, stderr)
    assert.match(stderr, /node1 does no work: .*CPN_ERR_HOST_KEY_CHANGED/)
    const [run] = (JSON.parse(stdout) as { runs: AppliedRun[] }).runs
    assert.ok(run!.left.length > 0 && run!.left.every(({ reason }) => /no host can take work/.test(reason)), stdout)
  }
  await home.ok(['hosts', 'remove', 'node1', '--yes', '--force'])
  assert.equal((await apply()).exitCode, 0)
  for (const [name, bytes] of pictures(out)) {
    if (name.startsWith('Tony')) assert.notEqual(bytes, before.get(name), name)
  }
  await rename('Abel', 'Tony')
})

test('what cannot be written is in the result of apply, name and forget, which end as a run does then', {
  skip,
  timeout: 240_000,
}, async () => {
  const out = join(home.folder, 'unwritten')
  await home.ok(['predict', album, '--out', out, '--format', 'csv'])
  // A folder in a file's place, and a page that somebody has made notes on.
  const table = join(out, 'predictions.csv')
  rmSync(table)
  mkdirSync(table)
  const sheet = join(out, 'people', 'unknown-001', 'contact-sheet.html')
  appendFileSync(sheet, '<!-- who? -->')
  const ended = async <T>(...args: string[]) => {
    const { exitCode, stdout, stderr } = await home.cpn(['people', ...args, '--json'])
    assert.equal(exitCode, 7, stderr)
    return JSON.parse(stdout) as T
  }
  const tells = (told: string[], path: string) => told.some((line) => line.includes(path))

  const { applied } = await ended<NamedGroup>('name', 'unknown-001', 'Hugo')
  assert.ok(tells(applied.unwritten, table) && tells(applied.unwritten, sheet), applied.unwritten.join('\n'))
  await rename('Hugo', 'Chavez')
  const [run] = (await ended<{ runs: AppliedRun[] }>('apply', '--run', 'last')).runs
  assert.deepEqual([run?.left, run?.unwritten.length], [[], 1])
  assert.ok(tells(run!.unwritten, table))
  const { left } = await ended<ForgottenPerson>('forget', 'Chavez', '--yes')
  assert.ok(tells(left, table), left.join('\n'))
  rmSync(table, { recursive: true })
  assert.equal((await apply()).exitCode, 0)
})

test('a gallery of another model, a damaged one, and names that are none change nothing', {
  skip,
  timeout: 60_000,
}, async () => {
  const { file } = new PeopleStore(join(home.folder, '.cpn', 'people'))
  const before = readFileSync(file, 'utf8')
  const other = { ...peopleOf(person('Eva')), model: { name: 'sface', version: '1', sha256: 'b'.repeat(64) } }
  const whole = encodePeople(peopleOf(person('Eva')))
  for (const [text, code, exitCode] of [
    [encodePeople(other), 'CPN_ERR_GALLERY_MODEL', 2],
    [whole.slice(0, -50), 'CPN_ERR_GALLERY_DAMAGED', 6],
    [whole.replace('"Eva"', '"../Eva"'), 'CPN_ERR_GALLERY_DAMAGED', 6],
  ] as const) {
    writeFileSync(join(home.folder, 'in.people'), text)
    const refused = await home.cpn(['people', 'import', 'in.people'])
    assert.deepEqual([refused.exitCode, readFileSync(file, 'utf8')], [exitCode, before], refused.stderr)
    assert.match(refused.stderr, new RegExp(code))
  }
  for (const name of ['a/b', '..', 'Eva\u0007', '']) {
    const refused = await home.cpn(['people', 'rename', 'Tony', name])
    assert.deepEqual([refused.exitCode, readFileSync(file, 'utf8')], [2, before], name)
    assert.match(refused.stderr, /CPN_ERR_PERSON_NAME/)
  }
})

test('a run is named again, and goes on, by the thresholds of the version that it began with', {
  skip,
  timeout: 120_000,
}, async () => {
  await home.ok(['models', 'define', 'persons@2', '--identification-threshold', '0.99'])
  await home.ok(['models', 'push', 'persons@2'])
  await fresh('strict')
  await home.ok(['models', 'rollback', 'persons'])
  const out = join(home.folder, 'strict')
  const named = () =>
    readPredictions(out).filter(({ faces = [] }) => faces.some(({ person }) => person !== null)).length
  assert.equal(named(), 0)
  const [applied] = (await home.json<{ runs: { changed: number }[] }>(['people', 'apply', '--run', 'last'])).runs
  assert.deepEqual([applied?.changed, named()], [0, 0])
  appendFileSync(join(out, readPredictions(out)[0]!.path), '')
  await home.ok(['runs', 'resume', 'last'])
  assert.equal(named(), 0)
  await home.ok(['people', 'apply', '--run', 'last', '--threshold', '0.4'])
  assert.ok(named() > 0)
})

test('somebody is forgotten without a node that draws: what is kept goes, and pictures that show the name are told', {
  skip,
  timeout: 300_000,
}, async () => {
  await fresh('forgotten')
  await fresh('as well')
  await home.ok(['stop', 'here', '--now'])
  const { exitCode, stdout } = await home.cpn(['people', 'forget', 'Tony', '--yes', '--json'])
  assert.equal(exitCode, 7)
  const { left } = JSON.parse(stdout) as { left: string[] }
  assert.ok(
    left.some((line) => /forgotten\/Tony_Blair_\d+\.jpg still shows the name/.test(line)),
    left.join('\n'),
  )
  for (const name of readdirSync(join(home.folder, '.cpn'))) {
    if (/ledger\.db/.test(name)) assert.ok(!readFileSync(join(home.folder, '.cpn', name)).includes('"Tony"'), name)
  }
  assert.equal((await home.json<{ people: unknown[] }>(['people', 'list'])).people.length, 0)
  await home.ok(['start', 'here'])
  // What shows the name still is drawn anew as soon as somebody can.
  await home.ok(['predict', album, '--out', join(home.folder, 'as well')])
  await home.ok(['people', 'apply'])
  const [nobody] = await fresh('nobody')
  for (const out of ['forgotten', 'as well']) assert.deepEqual(pictures(join(home.folder, out)), nobody, out)
  const faces = readPredictions(join(home.folder, 'forgotten')).flatMap(({ faces = [] }) => faces)
  assert.ok(faces.every((face) => face.person === null))
})
