import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertIdle, leakFree } from '../helpers/leaks.ts'
import { type Project, project } from '../helpers/project.ts'
import { readPredictions, readSummary } from '../helpers/run-output.ts'
import { shared, sharedMissing } from '../helpers/shared.ts'
import { sshdMissing, startHosts } from '../helpers/sshd.ts'

const people = { 'Тони Блэр': 'Tony_Blair', 'Hugo Chávez': 'Hugo_Chavez', 'Colin Powell': 'Colin_Powell' }
type Name = keyof typeof people

/** Photos of a person: the first five enrol, the others are looked at. */
function photosOf(name: Name): { enrol: string[]; look: string[] } {
  const folder = shared('photos', 'lfw-color-10x10', people[name])
  const files = readdirSync(folder)
    .sort()
    .map((file) => join(folder, file))
  return { enrol: files.slice(0, 5), look: files.slice(5) }
}

/** Person of the largest face by the file's person. */
function namesIn(out: string): Map<string, (string | null)[]> {
  const named = readPredictions(out).map(({ path, faces = [] }) => {
    const largest = faces.toSorted((a, b) => b.box[2] - a.box[2])[0]
    return { whose: path.replace(/_\d+\.jpg$/, ''), person: largest?.person ?? null }
  })
  const groups = Map.groupBy(named, ({ whose }) => whose)
  return new Map([...groups].map(([whose, all]) => [whose, all.map(({ person }) => person)]))
}

const enrol = (home: Project, name: Name) => home.cpn(['people', 'add', name, ...photosOf(name).enrol, '--yes'])

test(
  'people who are enrolled are named on photos, again when somebody comes or goes, and forgotten',
  { skip: sharedMissing || sshdMissing, timeout: 240_000 },
  leakFree(async () => {
    await using hosts = await startHosts({ name: 'node1', held: true }, { name: 'node2', held: true })
    await using home = project(hosts)
    await home.ok(['models', 'pull', 'yunet-s-dynamic', 'mobilefacenet-112', '--yes'])
    await home.ok(['provision', '--yes'])
    const folder = join(home.folder, 'album')
    mkdirSync(folder)
    for (const name of Object.keys(people) as Name[]) {
      for (const photo of photosOf(name).look) symlinkSync(photo, join(folder, photo.split('/').at(-1)!))
    }
    const out = join(home.folder, 'album-predicted')

    for (const name of ['Тони Блэр', 'Hugo Chávez'] as const) {
      const { exitCode, stdout } = await enrol(home, name)
      assert.ok(exitCode === 0 || exitCode === 7, stdout)
      assert.match(stdout, /[345] of 5 photos taken/)
    }
    await home.ok(['predict', 'album'])
    const named = namesIn(out)
    assert.deepEqual(new Set(named.get('Tony_Blair')), new Set(['Тони Блэр']))
    assert.deepEqual(new Set(named.get('Hugo_Chavez')), new Set(['Hugo Chávez']))
    assert.deepEqual(new Set(named.get('Colin_Powell')), new Set([null]))
    // Small pictures travel with the results and stand on the page.
    const page = readFileSync(join(out, 'index.html'), 'utf8')
    const [, small = '[]'] = /class="thumbnails">(.*?)<\/script>/s.exec(page) ?? []
    const thumbnails = JSON.parse(small) as (string | null)[]
    assert.equal(thumbnails.filter((text) => text && text.length > 1000).length, 15)

    const before = pictures(out)
    await enrol(home, 'Colin Powell')
    const { runs } = await home.json<{ runs: { changed: number; redrawn: number; left: unknown[] }[] }>([
      'people',
      'apply',
    ])
    assert.deepEqual(
      runs.map(({ changed, redrawn, left }) => [changed, redrawn, left]),
      [[5, 5, []]],
    )
    assert.deepEqual(new Set(namesIn(out).get('Colin_Powell')), new Set(['Colin Powell']))
    const after = pictures(out)
    for (const [file, bytes] of before) {
      assert.equal(bytes.equals(after.get(file)!), !file.startsWith('Colin_Powell'), file)
    }

    // What was drawn anew is what a run by the new gallery draws.
    await home.ok(['predict', 'album', '--out', 'fresh'])
    const fresh = join(home.folder, 'fresh')
    assert.deepEqual(pictures(fresh), after)
    assert.deepEqual(readPredictions(fresh), readPredictions(out))

    // The same command names anew by itself, and infers nothing.
    await home.ok(['people', 'rename', 'Hugo Chávez', 'El Comandante'])
    await home.ok(['predict', 'album'])
    assert.equal(readSummary(out).skipped, 15)
    assert.deepEqual(new Set(namesIn(out).get('Hugo_Chavez')), new Set(['El Comandante']))

    await home.ok(['people', 'export', 'everybody.people'])
    hosts[1]!.stop()
    const forgotten = await home.json<{ nodes: { cleared: string[]; away: string[] }; left: string[] }>([
      'people',
      'forget',
      'El Comandante',
      '--yes',
    ])
    assert.deepEqual(forgotten.nodes, { cleared: ['node1'], away: ['node2'] })
    assert.deepEqual(forgotten.left, [])
    for (const each of [out, fresh]) assert.deepEqual(new Set(namesIn(each).get('Hugo_Chavez')), new Set([null]))
    assertNoTrace(home, 'El Comandante', /El Comandante|Chávez/)
    await hosts[1]!.restart()
    await home.ok(['status'])
    await home.ok(['predict', 'album', '--out', 'last'])
    assert.deepEqual(new Set(namesIn(join(home.folder, 'last')).get('Hugo_Chavez')), new Set([null]))

    await home.ok(['unprovision', 'all', '--yes'])
    await assertIdle(hosts)
  }),
)

function pictures(out: string): Map<string, Buffer> {
  const files = readdirSync(out).filter((name) => name.endsWith('.jpg'))
  return new Map(files.map((name) => [name, readFileSync(join(out, name))]))
}

/** Names are nowhere in the project's folder, neither in the ledger nor in what is left of its log. */
function assertNoTrace(home: Project, name: string, pattern: RegExp): void {
  const files = readdirSync(home.folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  for (const entry of files) {
    const path = join(entry.parentPath, entry.name)
    assert.ok(!pattern.test(readFileSync(path).toString('utf8')), `${path} still has ${name}`)
  }
  assert.ok(
    !existsSync(join(home.folder, '.cpn/ledger.db-wal')) ||
      !pattern.test(readFileSync(join(home.folder, '.cpn/ledger.db-wal'), 'utf8')),
  )
}

test(
  'photos that would name people wrongly are refused, each with its reason',
  { skip: sharedMissing || sshdMissing, timeout: 180_000 },
  leakFree(async () => {
    await using home = project([])
    writeFileSync(home.inventory, 'version: 1\nhosts:\n  here: { transport: local }\n')
    await home.ok(['provision', '--yes'])
    const refusal = async (...args: string[]) => {
      const { stdout, stderr, exitCode } = await home.cpn(['people', 'add', ...args, '--yes'])
      return { text: stdout + stderr, exitCode }
    }
    const group = await refusal('Anna', shared('photos', 'azure-faces', 'identification1.jpg'))
    assert.match(group.text, /it shows 4 faces[\s\S]*CPN_ERR_ENROLMENT/)
    assert.equal(group.exitCode, 7)
    assert.match((await refusal('Anna', shared('photos', 'objects', 'bus.jpg'))).text, /face/)

    await home.ok(['people', 'add', 'Colin', ...photosOf('Colin Powell').enrol.slice(1, 3), '--yes'])
    const twin = await refusal('Anna', photosOf('Colin Powell').enrol[3]!)
    assert.match(twin.text, /it looks like Colin \(0\.\d\d\)/)
    assert.match(
      (await refusal('Colin', photosOf('Hugo Chávez').enrol[1]!)).text,
      /does not look like the others of Colin/,
    )
    assert.match((await refusal('Colin', photosOf('Colin Powell').enrol[1]!)).text, /enrolled already/)
    assert.match((await refusal('../Anna', photosOf('Hugo Chávez').enrol[1]!)).text, /CPN_ERR_PERSON_NAME/)
    mkdirSync(join(home.folder, 'empty'))
    assert.match((await refusal('Anna', 'empty')).text, /CPN_ERR_INPUT_MISSING/)
    const { people } = await home.json<{ people: { name: string; photos: number }[] }>(['people', 'list'])
    assert.deepEqual(
      people.map(({ name, photos }) => [name, photos]),
      [['Colin', 2]],
    )

    await home.ok(['people', 'add', 'Anna', photosOf('Colin Powell').enrol[3]!, '--force'])
    assert.match((await home.cpn(['people', 'rename', 'Anna', 'COLIN'])).stderr, /CPN_ERR_PERSON_EXISTS/)
    await home.ok(['people', 'merge', 'Anna', 'Colin'])
    assert.match((await home.cpn(['people', 'remove', 'Collin'])).stderr, /did you mean "Colin"/)
    await home.ok(['unprovision', 'here', '--yes'])
  }),
)
