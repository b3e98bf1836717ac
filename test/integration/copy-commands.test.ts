import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openCopier } from '../../src/actions/transfer/copy.ts'
import { openFetcher } from '../../src/actions/transfer/fetch.ts'
import { parseRemotePath } from '../../src/actions/transfer/remote-path.ts'
import type { Context } from '../../src/common/context.ts'
import { createLogger } from '../../src/common/logger.ts'
import type { Host, Inventory } from '../../src/inventory/inventory.ts'
import { sshdMissing, startHosts } from '../helpers/sshd.ts'
import { tempFolder } from '../helpers/temp-folder.ts'
import { never } from './copy-fixture.ts'
import { fails, hostOf, Master, nobody, plainHost } from './transport-fixture.ts'

const ctx: Context = { signal: never, logger: createLogger(), prompter: nobody, notice: () => undefined }
const silent = (): void => undefined

function inventoryOf(folder: string, hosts: Host[]): Inventory {
  return { file: join(folder, 'inventory.yaml'), stateDir: join(folder, '.cpn'), hosts, requirements: [] }
}

test('files go to many hosts and come back under their names, and one that is away stops no other', {
  skip: sshdMissing,
}, async () => {
  await using hosts = await startHosts({ name: 'n1' }, { name: 'n2' })
  using master = new Master().trust(...hosts)
  using folder = tempFolder()
  const away = plainHost({ name: 'away', address: '127.0.0.1', port: 1 })
  const inventory = inventoryOf(folder.path, [...hosts.map((host) => hostOf(host)), away])
  mkdirSync(inventory.stateDir, { mode: 0o700 })
  writeFileSync(join(inventory.stateDir, 'known_hosts'), readFileSync(master.knownHostsFile))
  const file = join(folder.path, 'a')
  writeFileSync(file, 'hello', { mode: 0o644 })
  await using copier = await openCopier({ inventory, files: [file], target: 'all:b' }, ctx)
  const copied = await Promise.allSettled(copier.hosts.map((host) => copier.copy(host, silent)))
  assert.deepEqual(
    copied.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected'],
  )
  const back = join(folder.path, 'back')
  await using fetcher = await openFetcher({ inventory, source: 'n1,n2:b', folder: back }, ctx)
  await Promise.all(fetcher.hosts.map((host) => fetcher.fetch(host, silent)))
  for (const { name } of hosts) assert.equal(readFileSync(join(back, name, 'b'), 'utf8'), 'hello')
})

test('this machine is a host like any other', async () => {
  using folder = tempFolder()
  const inventory = inventoryOf(folder.path, [plainHost({ name: 'here', transport: 'local' })])
  mkdirSync(join(folder.path, 'to'))
  writeFileSync(join(folder.path, 'a'), 'hello')
  writeFileSync(join(folder.path, 'big'), Buffer.alloc(9_000_000, 'x'))
  const files = ['a', 'big'].map((name) => join(folder.path, name))
  await using copier = await openCopier({ inventory, files, target: `here:${folder.path}/to` }, ctx)
  assert.equal((await copier.copy(copier.hosts[0]!, silent)).files, 2)
  await using fetcher = await openFetcher({ inventory, source: `here:${folder.path}/to/`, folder: folder.path }, ctx)
  await fetcher.fetch(fetcher.hosts[0]!, silent)
  assert.equal(readFileSync(join(folder.path, 'here/to/a'), 'utf8'), 'hello')
  assert.equal(readFileSync(join(folder.path, 'here/to/big')).length, 9_000_000)
  const missing = openFetcher({ inventory, source: 'here:/no/such/file', folder: folder.path }, ctx)
  await using unhappy = await missing
  await assert.rejects(unhappy.fetch(unhappy.hosts[0]!, silent), fails('CPN_ERR_TRANSFER', 'here', /no\/such/))
})

test('hosts and path part at the first colon that is no tag', () => {
  const parts = (text: string) => Object.values(parseRemotePath(text))
  assert.deepEqual(parts('node1:/tmp'), ['node1', '/tmp'])
  assert.deepEqual(parts('node[1-3],tag:lab,!node2:a:b'), ['node[1-3],tag:lab,!node2', 'a:b'])
  assert.deepEqual(parts('all:'), ['all', ''])
  for (const wrong of ['tag:lab', 'node1', '/tmp/x', ':x', './a:b']) {
    assert.throws(() => parseRemotePath(wrong), { code: 'CPN_ERR_USAGE' }, wrong)
  }
})
