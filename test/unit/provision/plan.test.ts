import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { canonicalJson, sha256 } from '../../../src/common/digest.ts'
import type { Host } from '../../../src/inventory/inventory.ts'
import type { InstalledModel } from '../../../src/models/store.ts'
import { type Holdings, holdingsWords, parseHoldings } from '../../../src/provision/holdings.ts'
import {
  configText,
  describePlan,
  isEmpty,
  manifestText,
  modelListText,
  neededBytes,
  planChanges,
} from '../../../src/provision/plan.ts'
import type { Release } from '../../../src/provision/release/build.ts'
import { quote } from '../../../src/transport/shell.ts'
import { tinyManifest } from '../../helpers/tiny-model.ts'

const root = mkdtempSync(join(tmpdir(), 'cpn-plan-'))
after(() => rmSync(root, { recursive: true, force: true }))

const fleetId = 'abcdefghijkl'
const host: Host = {
  name: 'node1',
  transport: 'ssh',
  address: 'node1',
  tags: [],
  provision: true,
  remoteDir: '~/.cpn',
  workers: 'auto',
  nice: 10,
}
const model: InstalledModel = { manifest: tinyManifest(), path: '/dev/null' }
const contents = new Map([
  ['bin/node', 'the runtime'],
  ['agent/agent.mjs', 'the agent'],
])
const release = exampleRelease(contents)

function exampleRelease(files: Map<string, string>): Release {
  const manifest: Release['manifest'] = {
    version: '0.1.0',
    platform: 'linux',
    arch: 'x64',
    nodeVersion: '26.10.0',
    files: [...files].map(([path, text]) => ({ path, sha256: sha256(text), bytes: text.length, mode: 0o444 })),
  }
  const manifestJson = canonicalJson(manifest)
  return {
    platform: 'linux-x64',
    manifest,
    manifestJson,
    digest: sha256(manifestJson),
    blobs: new Map(manifest.files.map((file) => [file.sha256, { ...file, source: '/dev/null' }])),
    pack: () => Promise.reject(new Error('nothing is packed here')),
  }
}

/** A host's folder with a release in use, as provisioning leaves it. */
function provisionedFolder(name: string): string {
  const dir = join(root, name)
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), text)
  }
  for (const [path, text] of [...contents, ['release.json', release.manifestJson]] as const) {
    write(`blobs/${sha256(text)}`, text)
    mkdirSync(dirname(join(dir, `releases/${release.digest}/${path}`)), { recursive: true })
    linkSync(join(dir, `blobs/${sha256(text)}`), join(dir, `releases/${release.digest}/${path}`))
  }
  write(`models/${model.manifest.sha256}`, '.'.repeat(model.manifest.bytes))
  write(`models/${model.manifest.sha256}.json`, manifestText(model))
  write(`fleets/${fleetId}/agent.json`, `${configText(host, fleetId)}\n`)
  write(`fleets/${fleetId}/models.json`, `${modelListText([model])}\n`)
  symlinkSync(`../../releases/${release.digest}`, join(dir, `fleets/${fleetId}/current`))
  return dir
}

function ask(dir: string): Holdings {
  const script = `dir=${quote(dir)}\n${holdingsWords(fleetId)}`
  return parseHoldings(execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' }))
}

function plan(holdings: Holdings, changes: Partial<Parameters<typeof planChanges>[0]> = {}) {
  return planChanges({ host, fleetId, release, models: [model], ...changes }, holdings)
}

test('a bare host needs everything', () => {
  const holdings = ask(join(root, 'nowhere'))
  assert.equal(holdings.present, false)
  const { blobs, link, models, manifests, configure, listModels, switch: switching } = plan(holdings)
  assert.deepEqual(blobs.toSorted(), [...release.blobs.keys(), release.digest].toSorted())
  assert.deepEqual([models, manifests], [[model], [model]])
  assert.ok(link && configure && listModels && switching)
  assert.match(
    describePlan(plan(holdings), release).join('\n'),
    /^send the release: 2 files, \d+ B\n.*\nsend model tiny/,
  )
})

test('a host that has everything needs nothing', () => {
  const result = plan(ask(provisionedFolder('whole')))
  assert.ok(isEmpty(result))
  assert.equal(neededBytes(result, release), 0)
  assert.deepEqual(describePlan(result, release), [])
})

test('a blob of another size is sent again and the release put together anew', () => {
  const dir = provisionedFolder('damaged')
  const blob = sha256('the runtime')
  writeFileSync(join(dir, 'blobs', blob), 'the runt')
  const result = plan(ask(dir))
  assert.deepEqual(result.blobs, [blob])
  assert.equal(describePlan(result, release)[0], 'send part of the release: 1 file, 11 B')
  assert.ok(result.link && !result.switch)
})

test('a release that lost a file is put together from the blobs that are there', () => {
  const dir = provisionedFolder('incomplete')
  rmSync(join(dir, `releases/${release.digest}/bin/node`))
  const result = plan(ask(dir))
  assert.deepEqual(result.blobs, [])
  assert.ok(result.link)
})

test('changed settings are written and nothing is sent', () => {
  const result = plan(ask(provisionedFolder('settings')), { host: { ...host, workers: 3 } })
  assert.ok(result.configure && !result.link && !result.switch)
})

test('what another fleet uses stays, what nobody uses goes', () => {
  const dir = provisionedFolder('shared')
  const next = exampleRelease(new Map([...contents, ['agent/worker.mjs', 'new']]))
  const alone = planChanges({ host, fleetId, release: next, models: [] }, ask(dir))
  assert.deepEqual(alone.prune.releases, [release.digest])
  mkdirSync(join(dir, 'fleets/mnopqrstuvwx'))
  symlinkSync(`../../releases/${release.digest}`, join(dir, 'fleets/mnopqrstuvwx/current'))
  writeFileSync(join(dir, 'blobs', 'left.123.part'), 'x')
  const { prune } = planChanges({ host, fleetId, release: next, models: [] }, ask(dir))
  assert.deepEqual(prune, { releases: [], files: ['blobs/left.123.part'], unfinished: false })
})

test('a first release that was never verified is no way back, and the mark of it goes', () => {
  const dir = provisionedFolder('unverified')
  assert.equal(ask(dir).fleets.get(fleetId)?.unverified, false)
  writeFileSync(join(dir, `fleets/${fleetId}/unverified`), '')
  const holdings = ask(dir)
  assert.equal(holdings.fleets.get(fleetId)?.unverified, true)
  assert.ok(plan(holdings).prune.unfinished && !isEmpty(plan(holdings)))
})

test('a node whose last provisioning was not verified is not unchanged', () => {
  for (const left of ['unfinished', 'previous']) {
    const dir = provisionedFolder(`left ${left}`)
    symlinkSync(`../../releases/${release.digest}`, join(dir, `fleets/${fleetId}/${left}`))
    const result = plan(ask(dir))
    assert.equal(isEmpty(result), false)
    assert.match(describePlan(result, release).join(), /^verify what an earlier provisioning left unverified$/)
  }
})

test('the room a plan needs is that of what is missing', () => {
  const dir = provisionedFolder('room')
  writeFileSync(join(dir, 'models', model.manifest.sha256), '')
  assert.equal(neededBytes(plan(ask(dir)), release), model.manifest.bytes + (64 << 20))
})
