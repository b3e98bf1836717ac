import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { CpnError } from '../../../src/common/errors.ts'
import { inventoryPath, loadInventory, parseInventory } from '../../../src/inventory/load.ts'
import { localInventory } from '../../../src/inventory/local.ts'
import { repositoryRoot } from '../../helpers/shared.ts'

const file = join(process.cwd(), 'lab.yaml')

function fault(text: string): CpnError {
  try {
    parseInventory(text, file)
  } catch (error) {
    assert.ok(error instanceof CpnError, String(error))
    return error
  }
  assert.fail('the inventory was accepted')
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'cpn-test-'))
  await work(folder).finally(() => rm(folder, { recursive: true, force: true }))
}

function keepEnvironment(context: TestContext, name: string): void {
  const before = process.env[name]
  context.after(() => {
    if (before === undefined) delete process.env[name]
    else process.env[name] = before
  })
}

describe('a right inventory', () => {
  test('the example loads, with defaults applied and paths made absolute', async () => {
    const inventory = await loadInventory(join(repositoryRoot, 'inventory.example.yaml'))
    assert.equal(inventory.stateDir, join(repositoryRoot, '.cpn'))
    assert.deepEqual(
      inventory.hosts.map((host) => host.name),
      ['node1', 'node2', 'node3', 'bastion', 'here'],
    )
    const [node1, node2, node3, bastion, here] = inventory.hosts
    assert.deepEqual(node1, {
      name: 'node1',
      transport: 'ssh',
      address: '192.0.2.11',
      port: 22,
      user: 'cpn',
      identityFile: join(homedir(), '.ssh/id_ed25519'),
      tags: ['lab'],
      provision: true,
      remoteDir: '~/.cpn',
      workers: 'auto',
      nice: 10,
    })
    assert.deepEqual([node2!.jump, node2!.workers], ['bastion', 4])
    assert.deepEqual([node3!.remoteDir, node3!.nice, node3!.port], ['/srv/cpn', 0, 2222])
    assert.equal(bastion!.provision, false)
    assert.deepEqual([here!.transport, here!.user, here!.identityFile], ['local', undefined, undefined])
    assert.deepEqual(inventory.requirements[0], {
      tags: ['big'],
      apt: [],
      pip: [],
      files: [],
      commands: ['nvidia-smi'],
    })
  })

  test('sections and hosts without content count as empty', () => {
    assert.deepEqual(parseInventory('version: 1\nhosts:\ndefaults:\n', file).hosts, [])
    assert.equal(parseInventory('version: 1\nhosts:\n  node1:\n', file).hosts[0]!.address, 'node1')
  })

  test('a relative identity file begins at the inventory', () => {
    const { hosts } = parseInventory('version: 1\nhosts: { a: { identityFile: keys/a } }\n', '/fleet/inventory.yaml')
    assert.equal(hosts[0]!.identityFile, '/fleet/keys/a')
  })

  test('anchors and merge keys may save typing', () => {
    const text = 'version: 1\nhosts:\n  a: &lab { user: u, tags: [lab] }\n  b: { <<: *lab, port: 23 }\n'
    const [, b] = parseInventory(text, file).hosts
    assert.deepEqual([b!.user, b!.port, b!.tags], ['u', 23, ['lab']])
  })

  test('many hosts may share an anchor', () => {
    const hosts = Array.from({ length: 500 }, (_, index) => `  n${index}: *lab\n`).join('')
    const text = `version: 1\nhosts:\n  first: &lab { tags: [lab] }\n${hosts}`
    assert.equal(parseInventory(text, file).hosts.length, 501)
  })
})

describe('a wrong inventory is refused with its place and the fix', () => {
  test('an unknown key: file, line, column, the line, a caret and the nearest key', () => {
    const error = fault('version: 1\nhosts:\n  node1: { address: 192.0.2.1, prot: 22 }\n')
    assert.equal(error.code, 'CPN_ERR_INVENTORY_SCHEMA')
    assert.equal(error.exitCode, 3)
    assert.equal(
      error.message,
      [
        'lab.yaml:3:32: unknown key "prot": did you mean "port"?',
        '  3 |   node1: { address: 192.0.2.1, prot: 22 }',
        '    |                                ^^^^',
      ].join('\n'),
    )
  })

  test('a tab in front of the fault keeps the caret in its column', () => {
    const [, line, caret] = fault('version: 1\nhosts: {\ta: { prot: 1 } }\n').message.split('\n')
    assert.equal(caret!.indexOf('^'), line!.indexOf('prot'))
  })

  const cases: [name: string, yaml: string, code: string, said: RegExp][] = [
    ['a second host of a name', 'hosts:\n  a: {}\n  a: {}', 'SYNTAX', /:4:3: "a" is there twice/],
    ['an indentation by tab', 'hosts:\n\ta: {}', 'SYNTAX', /:3:1: a tab/],
    ['an open bracket', 'hosts: { a: {', 'SYNTAX', /lab\.yaml:2:/],
    ['a second document', 'hosts: {}\n---\nhosts: {}', 'SYNTAX', /second document/],
    ['a tag', 'hosts: !!binary aGk=', 'SYNTAX', /tags such as/],
    ['an alias of nothing', 'hosts: { a: *lab }', 'SYNTAX', /nothing is called &lab/],
    ['brackets without end', `hosts: ${'['.repeat(50_000)}`, 'SYNTAX', /nested too deeply/],
    ['hosts as a list', 'hosts:\n  - name: a', 'SCHEMA', /:3:3: hosts has to be a mapping/],
    ['a host name with capitals', 'hosts: { Node: {} }', 'SCHEMA', /:2:10: "Node" is no host name/],
    ['a host named like a pattern', 'hosts: { all: {} }', 'SCHEMA', /"all" cannot name a host/],
    ['an address that YAML reads as a number', 'hosts: { a: { address: 10 } }', 'SCHEMA', /address has to be text/],
    ['an address with a user', 'hosts: { a: { address: u@h } }', 'SCHEMA', /write it as user: NAME/],
    ['an address with a port', 'hosts: { a: { address: "h:22" } }', 'SCHEMA', /write it as port: NUMBER/],
    ['an address like an option', 'hosts: { a: { address: -oProxyCommand=x } }', 'SCHEMA', /cannot begin with "-"/],
    ['a jump like an option', 'hosts: { a: { jump: -x } }', 'SCHEMA', /jump cannot begin with "-"/],
    ['a port as text', 'hosts: { a: { port: "22" } }', 'SCHEMA', /port is a whole number from 1 to 65535/],
    ['a port out of range', 'hosts: { a: { port: 65536 } }', 'SCHEMA', /from 1 to 65535/],
    ['one tag instead of a list', 'hosts: { a: { tags: lab } }', 'SCHEMA', /has to be a list, such as \[lab\]/],
    ['too many workers', 'hosts: { a: { workers: 0 } }', 'SCHEMA', /auto or a whole number/],
    ['a bare tilde', 'hosts: { a: { remoteDir: ~ } }', 'SCHEMA', /remoteDir has to be text/],
    ['the whole home as remoteDir', 'hosts: { a: { remoteDir: ~/ } }', 'SCHEMA', /folder of its own/],
    ['the root as remoteDir', 'hosts: { a: { remoteDir: / } }', 'SCHEMA', /folder of its own/],
    ['a way up in remoteDir', 'hosts: { a: { remoteDir: ~/x/.. } }', 'SCHEMA', /"\.\."/],
    ["somebody else's home", 'hosts: { a: { identityFile: ~bob/k } }', 'SCHEMA', /only "~\/"/],
    ['a package with a shell in it', 'requirements: [{ apt: ["x; reboot"] }]', 'SCHEMA', /Debian package/],
    ['a package to remove', 'requirements: [{ apt: [openssh-server-] }]', 'SCHEMA', /apt would remove it/],
    ['a version to remove', 'requirements: [{ apt: ["x=1.0-"] }]', 'SCHEMA', /apt would remove it/],
    ['a jump in a circle', 'hosts: { a: { jump: b }, b: { jump: a } }', 'SCHEMA', /circle/],
    ['a jump through this machine', 'hosts: { a: { jump: b }, b: { transport: local } }', 'SCHEMA', /this machine/],
    ['SSH settings of a local host', 'hosts: { a: { transport: local, user: u } }', 'SCHEMA', /user does nothing/],
    ['two names for one place', 'hosts: { a: { address: h }, b: { address: h } }', 'SCHEMA', /same place as "a"/],
  ]
  for (const [name, yaml, code, said] of cases) {
    test(name, () => {
      const error = fault(`version: 1\n${yaml}\n`)
      assert.equal(error.code, `CPN_ERR_INVENTORY_${code}`)
      assert.match(error.message, said)
      assert.match(error.message, /\n +\d+ \| .*\n +\| *\^+/)
    })
  }

  test('a missing or another version', () => {
    assert.match(fault('hosts: {}\n').message, /"version: 1" is missing/)
    assert.match(fault('version: 2\n').message, /version has to be 1/)
    assert.match(fault('').message, /begins with "version: 1"/)
  })

  test('every fault is shown, in the order of the text, up to five', () => {
    const hosts = Array.from({ length: 8 }, (_, index) => `  n${index}: { port: x }\n`).join('')
    const { message } = fault(`version: 1\nhosts:\n${hosts}`)
    assert.equal(message.match(/whole number/g)?.length, 5)
    assert.ok(message.indexOf(':3:') < message.indexOf(':4:'))
    assert.match(message, /and 3 more$/)
  })

  test('an alias bomb costs nothing', () => {
    const layers = Array.from(
      { length: 12 },
      (_, i) => `l${i + 1}: &l${i + 1} [${Array(10).fill(`*l${i}`).join(', ')}]`,
    )
    const error = fault(['version: 1', 'l0: &l0 [x, x]', ...layers].join('\n'))
    assert.equal(error.code, 'CPN_ERR_INVENTORY_SYNTAX')
    assert.match(error.message, /aliases multiply/)
  })

  test('a secret on the line is not repeated', () => {
    const { message } = fault('version: 1\nhosts: { a: { port: x, password: hunter2 } }\n')
    assert.match(message, /no "password" belongs in an inventory/)
    assert.doesNotMatch(message, /hunter2/)
  })

  test('a very long line is cut around the caret, and nothing in it can steer the terminal', () => {
    const { message } = fault(`version: 1\nhosts: { a: { tags: [${'x, '.repeat(2000)}"\u001b[2J"], prot: 1 } }\n`)
    assert.ok(message.split('\n').every((line) => line.length < 160))
    assert.match(message, /prot/)
    assert.doesNotMatch(message, /\u001b/)
  })
})

describe('finding the file', () => {
  test('the option wins over $CPN_INVENTORY, which wins over ./inventory.yaml', (context) => {
    keepEnvironment(context, 'CPN_INVENTORY')
    delete process.env.CPN_INVENTORY
    assert.equal(inventoryPath(), join(process.cwd(), 'inventory.yaml'))
    process.env.CPN_INVENTORY = '/fleet/a.yaml'
    assert.equal(inventoryPath(), '/fleet/a.yaml')
    assert.equal(inventoryPath('b.yaml'), join(process.cwd(), 'b.yaml'))
  })

  test('a missing file says how to make one', () =>
    inFolder(async (folder) => {
      await assert.rejects(loadInventory(join(folder, 'none.yaml')), (error: CpnError) => {
        assert.equal(error.code, 'CPN_ERR_INVENTORY_MISSING')
        assert.match(error.suggestions.join('\n'), /cpn hosts add/)
        return true
      })
    }))

  test('a folder, a huge file and bytes that are no text are refused', () =>
    inFolder(async (folder) => {
      const huge = join(folder, 'huge.yaml')
      const binary = join(folder, 'binary.yaml')
      await mkdir(join(folder, 'sub'))
      await writeFile(huge, `# ${'x'.repeat(1024 * 1024)}\n`)
      await writeFile(binary, Buffer.from([0x76, 0xff, 0xfe]))
      const refused = { code: 'CPN_ERR_INVENTORY_READ' }
      await assert.rejects(loadInventory(join(folder, 'sub')), { ...refused, message: /it is a folder/ })
      await assert.rejects(loadInventory(huge), { ...refused, message: /larger than 1 MiB/ })
      await assert.rejects(loadInventory(binary), { ...refused, message: /not UTF-8/ })
    }))

  test('a pipe works as well', () =>
    inFolder(async (folder) => {
      const pipe = join(folder, 'pipe')
      execFileSync('mkfifo', [pipe])
      const writer = spawn('sh', ['-c', `echo 'version: 1' > ${pipe}`])
      assert.deepEqual((await loadInventory(pipe)).hosts, [])
      writer.kill()
    }))
})

test('without an inventory this machine is the only host, its state in the state folder of the user', (context) => {
  keepEnvironment(context, 'XDG_STATE_HOME')
  process.env.XDG_STATE_HOME = '/state'
  const { file: none, stateDir, hosts } = localInventory()
  assert.deepEqual([none, stateDir], [undefined, '/state/cpn'])
  assert.deepEqual(
    hosts.map(({ name, transport }) => [name, transport]),
    [['here', 'local']],
  )
  process.env.XDG_STATE_HOME = 'relative'
  assert.equal(localInventory().stateDir, join(homedir(), '.local/state/cpn'))
})
