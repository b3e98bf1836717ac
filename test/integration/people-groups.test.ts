import assert from 'node:assert/strict'
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { NamedGroup } from '../../src/actions/people/name-group.ts'
import type { PeopleInfo } from '../../src/actions/people/people.ts'
import { type GroupInfo, type GroupsOfRun, openGroups } from '../../src/actions/people/unknown-groups.ts'
import { drawMany } from '../helpers/drawn-job.ts'
import { forgetGroups } from '../helpers/ledger-file.ts'
import { type Project, project } from '../helpers/project.ts'
import { quietContext } from '../helpers/provisioned.ts'
import { readPredictions, readSummary } from '../helpers/run-output.ts'
import { shared, sharedMissing } from '../helpers/shared.ts'

const skip = sharedMissing
const photos = skip ? '' : shared('photos', 'lfw-color-10x10')

let home: Project
let out: string
/** Each test goes on where the one before it left the run. */
before(async () => {
  if (skip) return
  home = project()
  out = join(home.folder, 'out')
  await home.ok(['predict', photos, '--out', out, '--yes'])
})
after(async () => {
  if (skip) return
  await home.cpn(['unprovision', 'all', '--yes'])
  await home[Symbol.asyncDispose]()
})

const groupsNow = async () => (await home.json<GroupsOfRun>(['people', 'groups'])).groups
const foldersNow = () => readdirSync(join(out, 'people')).filter((name) => !name.startsWith('.'))
const linksIn = (folder: string, people = join(out, 'people')) =>
  readdirSync(join(people, folder)).filter((name) => name !== 'contact-sheet.html')
/** Whose photo it is by its name. */
const personOf = (file: string) =>
  file
    .split('/')
    .at(-1)!
    .replace(/_\d+\.jpg$/, '')

/** The group with most photos of somebody. */
function groupOf(person: string): string {
  const groups = foldersNow().filter((name) => name.startsWith('unknown-'))
  return groups.toSorted((a, b) => count(b) - count(a))[0]!
  function count(group: string): number {
    return linksIn(group).filter((name) => personOf(name) === person).length
  }
}

/** What is in OUT/people, and when it was made. */
const stateOfPeople = () =>
  readdirSync(join(out, 'people'), { recursive: true })
    .map((path) => [String(path), lstatSync(join(out, 'people', String(path))).mtimeMs] as const)
    .sort()

test('ten people whom nobody knows are ten groups after a run', { skip }, async () => {
  const groups = foldersNow()
  assert.ok(groups.length >= 10 && groups.length <= 13, groups.join())
  let grouped = 0
  let pure = 0
  for (const group of groups) {
    const links = linksIn(group)
    const most = Math.max(
      ...Map.groupBy(links, personOf)
        .values()
        .map((same) => same.length),
    )
    grouped += links.length
    pure += most
    for (const link of links) {
      const path = realpathSync(join(out, 'people', group, link))
      assert.equal(path, join(realpathSync(out), personOf(link), link), 'a link leads to the annotated copy')
    }
  }
  assert.ok(grouped >= 95, `${grouped} of 100 photos are in groups`)
  assert.ok(pure / grouped >= 0.98, `${pure} of ${grouped} are with their own`)
  assert.deepEqual(groups.includes('unknown-001'), true)
  assert.equal(readSummary(out).done, 100)

  const listed = await groupsNow()
  assert.deepEqual(listed.map(({ group }) => group).sort(), groups.sort())
  const [first] = listed
  const page = readFileSync(join(out, 'people', first!.group, 'contact-sheet.html'), 'utf8')
  assert.equal(page.match(/src="data:image\/jpeg;base64,/g)?.length, first!.faces)
  for (const link of linksIn(first!.group)) assert.ok(page.includes(`href="./${link}"`), link)
})

test('a group gets a name: predictions, pictures and folders follow, other groups keep their numbers', {
  skip,
}, async () => {
  const blair = groupOf('Tony_Blair')
  const others = foldersNow().filter((name) => name !== blair)
  const before = new Map(others.map((name) => [name, linksIn(name)]))
  const picture = readFileSync(join(out, 'Tony_Blair', 'Tony_Blair_0001.jpg'))
  const named = await home.json<NamedGroup>(['people', 'name', blair, 'Tony Blair'])
  assert.deepEqual([named.group, named.name, named.left], [blair, 'Tony Blair', 0])
  assert.ok(named.taken >= 8 && named.photos === named.taken, JSON.stringify(named))

  const shown = readPredictions(out).filter(({ faces }) => faces?.some(({ person }) => person === 'Tony Blair'))
  assert.deepEqual(new Set(shown.map(({ path }) => personOf(path))), new Set(['Tony_Blair']))
  assert.ok(shown.length >= 9, `${shown.length} photos have the name`)
  assert.deepEqual(
    linksIn('Tony Blair').sort(),
    shown.map(({ path }) => path.split('/').at(-1)),
  )
  assert.notDeepEqual(readFileSync(join(out, 'Tony_Blair', 'Tony_Blair_0001.jpg')), picture)
  assert.deepEqual(foldersNow().sort(), ['Tony Blair', ...others].sort())
  for (const [name, links] of before) assert.deepEqual(linksIn(name), links, name)
})

test('a group is not named after somebody it does not look like, nor what no folder can be called', {
  skip,
}, async () => {
  const bush = groupOf('George_W_Bush')
  const before = stateOfPeople()
  const refused = await home.cpn(['people', 'name', bush, 'Tony Blair'])
  assert.equal(refused.exitCode, 7, refused.stdout)
  assert.match(refused.stderr, /does not look like the others of Tony Blair.*--force[\s\S]*CPN_ERR_ENROLMENT/)
  for (const name of ['../../x', 'a/b', 'unknown-007', '', '.hidden', 'a\u202eb']) {
    const { exitCode, stderr } = await home.cpn(['people', 'name', bush, name])
    assert.equal(exitCode, 2, name)
    assert.match(stderr, /CPN_ERR_PERSON_NAME/)
  }
  const unknown = await home.cpn(['people', 'name', 'unknown-099', 'Nobody'])
  assert.equal(unknown.exitCode, 2)
  assert.match(unknown.stderr, /has no group "unknown-099"/)
  assert.deepEqual(stateOfPeople(), before)
})

test('groups are merged and split by hand, and stay so when names are given again', { skip }, async () => {
  const [one, other] = [groupOf('Colin_Powell'), groupOf('Hugo_Chavez')]
  const sizes = new Map((await groupsNow()).map(({ group, faces }) => [group, faces]))
  const merged = await home.json<GroupInfo>(['people', 'merge', one, other])
  assert.deepEqual([merged.group, merged.faces], [other, sizes.get(one)! + sizes.get(other)!])
  assert.equal(existsSync(join(out, 'people', one)), false)
  assert.deepEqual(new Set(linksIn(other).map(personOf)), new Set(['Colin_Powell', 'Hugo_Chavez']))

  // Somebody else gets a name: all that nobody has touched is grouped again.
  await home.ok(['people', 'name', groupOf('Vladimir_Putin'), 'Владимир Путин'])
  assert.ok(linksIn('Владимир Путин').length >= 9)
  assert.equal((await groupsNow()).find(({ group }) => group === other)?.faces, merged.faces)

  const { parts } = await home.json<{ parts: GroupInfo[] }>(['people', 'split', other])
  assert.equal(parts[0]!.group, other)
  assert.ok(!sizes.has(parts[1]!.group), 'the new group has a number that none had')
  for (const { group } of parts) assert.equal(new Set(linksIn(group).map(personOf)).size, 1, group)

  const mixed = await home.cpn(['people', 'merge', other, 'Tony Blair'])
  assert.equal(mixed.exitCode, 2)
  assert.match(mixed.stderr, /cpn people name unknown-\d+ "Tony Blair"/)
})

test('nobody else changes the groups that somebody has read to change them', { skip }, async () => {
  const before = await groupsNow()
  const [one, other] = [groupOf('Colin_Powell'), groupOf('Hugo_Chavez')]
  const stateDir = join(home.env.XDG_STATE_HOME!, 'cpn')
  const inventory = { file: undefined, stateDir, hosts: [], requirements: [] }
  {
    using _read = await openGroups(inventory, 'last', 'change', quietContext())
    for (const args of [
      ['merge', one, other],
      ['split', one],
      ['name', one, 'Colin'],
    ]) {
      const { exitCode, stderr } = await home.cpn(['people', ...args])
      assert.notEqual(exitCode, 0, args.join(' '))
      assert.match(stderr, /CPN_ERR_RUN_BUSY/)
    }
    assert.deepEqual(await groupsNow(), before, 'who only looks need not wait')
  }
  const people = (await home.json<PeopleInfo>(['people', 'list'])).people.map(({ name }) => name)
  assert.ok(!people.includes('Colin'), people.join())
})

test('a run that goes on finds its folders as they are, and makes again what is gone', { skip }, async () => {
  const before = stateOfPeople()
  await home.ok(['predict', photos, '--out', out])
  assert.equal(readSummary(out).skipped, 100)
  assert.deepEqual(stateOfPeople(), before)

  // As a run leaves it that was interrupted while it grouped.
  forgetGroups(home)
  rmSync(join(out, 'people'), { recursive: true })
  await home.ok(['people', 'groups'])
  assert.ok(linksIn('Tony Blair').length >= 9)
  assert.ok(linksIn(groupOf('George_W_Bush')).length >= 9)
})

test('folders of people are no inputs, by themselves or below others', { skip }, async () => {
  for (const path of ['people', join('people', 'Tony Blair'), join('people', 'Tony Blair', 'Tony_Blair_0001.jpg')]) {
    const { exitCode, stderr } = await home.cpn(['predict', join(out, path), '--out', join(home.folder, 'again')])
    assert.equal(exitCode, 2, stderr)
    assert.match(stderr, /is an output of an earlier run/)
  }
})

test('a run in which everybody is known, or nobody is seen, has no groups', { skip }, async () => {
  const known = join(home.folder, 'known')
  await home.ok(['predict', join(photos, 'Tony_Blair'), '--out', known])
  assert.deepEqual(
    readdirSync(join(known, 'people')).filter((name) => name.startsWith('unknown')),
    [],
  )
  assert.ok(linksIn('Tony Blair', join(known, 'people')).length >= 9)
  assert.deepEqual((await groupsNow()).length, 0)

  const empty = join(home.folder, 'empty')
  await drawMany(join(home.folder, 'drawn'), 2)
  await home.ok(['predict', join(home.folder, 'drawn'), '--out', empty])
  assert.equal(existsSync(join(empty, 'people')), false)
})

test('pictures of a folder called people keep their place, and links lead to originals without annotated copies', {
  skip,
}, async () => {
  const source = join(home.folder, 'source')
  mkdirSync(join(source, 'People'), { recursive: true })
  const name = `<b>'"&.jpg`
  cpSync(join(photos, 'Jacques_Chirac', 'Jacques_Chirac_0001.jpg'), join(source, 'People', name))
  cpSync(join(photos, 'Jacques_Chirac', 'Jacques_Chirac_0002.jpg'), join(source, 'People', 'two.jpg'))
  const place = join(home.folder, 'named')
  await home.ok(['predict', source, '--out', place])
  assert.ok(lstatSync(join(place, 'People', name)).isFile())
  const people = join(place, 'people-2')
  assert.equal(realpathSync(join(people, 'unknown-001', name)), realpathSync(join(place, 'People', name)))
  const page = readFileSync(join(people, 'unknown-001', 'contact-sheet.html'), 'utf8')
  assert.doesNotMatch(page, /<b>/)

  const bare = join(home.folder, 'bare')
  await home.ok(['predict', source, '--out', bare, '--annotate', 'none'])
  const link = join(bare, 'people-2', 'unknown-001', 'two.jpg')
  assert.equal(realpathSync(link), realpathSync(join(source, 'People', 'two.jpg')))
})
