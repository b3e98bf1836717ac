import assert from 'node:assert/strict'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import sharp from 'sharp'
import { signalProcess } from '../helpers/processes.ts'
import { project } from '../helpers/project.ts'
import { shared, sharedMissing } from '../helpers/shared.ts'
import { startSshd, usersMissing } from '../helpers/sshd.ts'
import { tempFolder } from '../helpers/temp-folder.ts'
import { filesWith, tracesOf } from '../helpers/traces.ts'

const person = 'Zoë Plantée-Kwiatkowski'
const place = 'Rue des Sentinelles 4711'

test('the search finds names and vectors in every form that it knows', () => {
  using folder = tempFolder()
  const vector = Float32Array.from([0.123456, -0.5, 0.25, 0.75])
  const forms: [string, Buffer][] = [
    ['utf8', Buffer.from(`x${person}x`)],
    ['utf16', Buffer.from(`x${person}`, 'utf16le')],
    ['base64', Buffer.from(Buffer.from(`ab${person} and more`).toString('base64'))],
    ['hex', Buffer.from(Buffer.from(person).toString('hex'))],
    ['floats', Buffer.concat([Buffer.alloc(3), Buffer.from(vector.buffer)])],
    ['json', Buffer.from(JSON.stringify([...vector]))],
  ]
  for (const [name, bytes] of forms) writeFileSync(join(folder.path, name), bytes)
  const found = filesWith([...tracesOf(person), ...tracesOf(vector)], [folder.path])
  assert.deepEqual(found.map((path) => path.slice(folder.path.length + 1)).sort(), forms.map(([name]) => name).sort())
})

test('after a run, also one with deaths in it, nothing of names, faces and pictures is on the node', {
  skip: usersMissing || sharedMissing,
  timeout: 180_000,
}, async () => {
  await using host = await startSshd({ name: 'node1' })
  await using home = project([host])
  await home.ok(['provision', '--yes'])
  const begin = Date.now()
  const pictures = join(home.folder, person)
  mkdirSync(pictures)
  for (const name of ['2007_007763.jpg', '2008_001009.jpg', '2008_001322.jpg']) {
    const photo = sharp(readFileSync(shared('photos', 'dlib-faces', name)))
    const exif = { IFD0: { ImageDescription: person, Artist: place } }
    writeFileSync(join(pictures, `${person} ${name}`), await photo.jpeg().withExif(exif).toBuffer())
  }
  writeFileSync(join(pictures, `${place}.jpg`), Buffer.from(`\xff\xd8\xff${person}${place}`, 'latin1'))
  await home.ok(['people', 'add', person, join(pictures, `${person} 2007_007763.jpg`), '--force', '--yes'])
  const predict = (out: string) => [
    ...['predict', pictures, '--out', join(home.folder, out), '--embeddings', '--yes', '--annotate', 'full'],
  ]
  assert.equal((await home.cpn(predict('out'))).exitCode, 7)
  const running = home.spawn(predict('again'))
  await running.waitFor(/^run /m)
  for (const { pid, command } of host.processes()) if (command.includes('worker.mjs')) signalProcess(pid, 'SIGKILL')
  await running.exited
  await home.ok(['logs', 'node1'])
  const lines = readFileSync(join(home.folder, 'out', 'predictions.jsonl'), 'utf8')
    .trim()
    .split('\n')
  const faces = lines.flatMap((line) => JSON.parse(line).faces ?? []) as { person: string; embedding: number[] }[]
  assert.ok(
    faces.some(({ person: name }) => name === person),
    'the node had a gallery',
  )
  const vectors = faces.map(({ embedding }) => embedding)
  assert.ok(vectors.length >= 3 && vectors.every((vector: number[]) => vector.length === 128))
  const copy = readFileSync(join(home.folder, 'out', `${person} 2007_007763.jpg`))
  const traces = [
    ...[person, place].flatMap(tracesOf),
    ...vectors.flatMap((vector) => tracesOf(Float32Array.from(vector))),
    // Out of the middle of the pixels' data.
    copy.subarray(copy.length >> 1, (copy.length >> 1) + 24),
  ]
  const elsewhere = ['/tmp', '/var/tmp', '/dev/shm', '/run/user'].filter((folder) => existsSync(folder))
  // A change of a file's content is a change of its ctime, which nobody can set.
  const isNew = (path: string) => {
    const stats = lstatSync(path, { throwIfNoEntry: false })
    return stats !== undefined && stats.uid === host.uid && stats.ctimeMs >= begin - 1000
  }
  assert.ok(isNew(join(host.home, '.cpn/fleets', readdirSync(join(host.home, '.cpn/fleets'))[0]!, 'log/agent.log')))
  assert.deepEqual(filesWith(traces, [host.home, ...elsewhere], isNew), [])
})
