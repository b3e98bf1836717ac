import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { readAnsibleInventory } from '../../../../src/inventory/ansible/read.ts'
import type { ForeignHost } from '../../../../src/inventory/foreign-host.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cpn-test-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function read(name: string, text: string): Promise<ForeignHost[]> {
  writeFileSync(join(folder, name), text)
  return readAnsibleInventory(join(folder, name))
}

/** Settings that are set, by alias. */
async function settings(name: string, text: string): Promise<Record<string, object>> {
  const hosts = await read(name, text)
  return Object.fromEntries(hosts.map((host) => [host.alias, JSON.parse(JSON.stringify(host.settings)) as object]))
}

describe('an INI inventory', () => {
  test('gives addresses, ports, users, keys, jumps and groups', async () => {
    const text = `; old comment
lonely ansible_user=me
[web:vars]
ansible_user = www   # for all
[web]
web1 ansible_host=192.0.2.1 ansible_port=2222 ansible_ssh_private_key_file=~/.ssh/web # comment
web2.example.com:2200 ansible_user="admin" ansible_ssh_common_args='-o ProxyJump=bastion'
[db]
db-[a:c] ansible_ssh_private_key_file=keys/db
[prod:children]
web
db
[all:vars]
ansible_port=22
`
    assert.deepEqual(await settings('hosts', text), {
      lonely: { address: 'lonely', port: 22, user: 'me' },
      web1: { address: '192.0.2.1', port: 2222, user: 'www', identityFile: '~/.ssh/web', tags: ['prod', 'web'] },
      'web2.example.com': {
        address: 'web2.example.com',
        port: 2200,
        user: 'admin',
        jump: 'bastion',
        tags: ['prod', 'web'],
      },
      ...Object.fromEntries(
        ['db-a', 'db-b', 'db-c'].map((name) => [
          name,
          { address: name, port: 22, identityFile: join(folder, 'keys/db'), tags: ['prod', 'db'] },
        ]),
      ),
    })
  })

  test('has ranges with leading zeros and steps', async () => {
    const aliases = (await read('hosts', 'node[01:12].lab\nn[0:6:3]\n')).map(({ alias }) => alias)
    assert.equal(aliases.length, 15)
    assert.deepEqual([aliases[0], aliases[11], ...aliases.slice(12)], ['node01.lab', 'node12.lab', 'n0', 'n3', 'n6'])
  })

  test('that is none is refused by line', async () => {
    await assert.rejects(read('hosts', '[a]\nhost1\nwhat is this\n'), {
      code: 'CPN_ERR_INVENTORY_SYNTAX',
      message: /line 3/,
    })
  })

  test('with a range without end is refused', async () => {
    await assert.rejects(read('hosts', 'n[1:999999999]\n'), { code: 'CPN_ERR_INVENTORY_SYNTAX', message: /10000/ })
    await assert.rejects(read('hosts', 'n[1:999][1:999]\n'), { code: 'CPN_ERR_INVENTORY_SYNTAX', message: /10000/ })
  })
})

describe('a YAML inventory', () => {
  const text = `all:
  hosts:
    lonely:
  vars: { ansible_user: cpn }
  children:
    lab:
      vars: { ansible_port: 2222, secret: !vault "abc" }
      hosts:
        node[1:2]: { ansible_host: 192.0.2.9 }
      children:
        gpu:
          hosts:
            node3: { ansible_user: root, ansible_port: 22 }
`
  test('gives hosts with the variables of their groups, the nearer ones winning', async () => {
    const node = { address: '192.0.2.9', port: 2222, user: 'cpn', tags: ['lab'] }
    const expected = {
      lonely: { address: 'lonely', user: 'cpn' },
      node1: node,
      node2: node,
      node3: { address: 'node3', port: 22, user: 'root', tags: ['lab', 'gpu'] },
    }
    assert.deepEqual(await settings('hosts.yml', text), expected)
    assert.deepEqual(await settings('hosts', text), expected)
  })

  test('that is broken is refused', async () => {
    for (const broken of ['all: [1', 'all: 3', 'all: { hosts: [a, b] }', 'a: &a [x]\nb: *c']) {
      await assert.rejects(read('hosts.yaml', broken), { code: 'CPN_ERR_INVENTORY_SYNTAX' }, broken)
    }
  })
})

test('what SSH cannot reach, and templates, are left out by name', async () => {
  const [local, winrm, template] = await read(
    'hosts',
    'here ansible_connection=local\nwin ansible_connection=winrm\nt ansible_host="{{ ip }}"\n',
  )
  assert.equal(local!.settings.transport, 'local')
  assert.match(winrm!.fault!, /winrm/)
  assert.match(template!.fault!, /template/)
})

test('a ProxyCommand that only jumps is a jump, and any other keeps the host out', async () => {
  const hosts = await read(
    'hosts',
    `a ansible_ssh_common_args='-o ProxyCommand="ssh -W %h:%p -q me@gate"'
b ansible_ssh_common_args='-o ControlMaster=auto -o ProxyCommand="ssh -i key -W %h:%p gate"'
c ansible_ssh_extra_args='-o ProxyCommand="nc %h %p"'
d ansible_ssh_common_args='-J gate'
`,
  )
  assert.deepEqual(
    hosts.map(({ settings, fault }) => settings.jump ?? fault?.includes('ProxyCommand')),
    ['me@gate', true, true, 'gate'],
  )
})

test('groups in a circle come to an end', async () => {
  const hosts = await settings('hosts', '[a]\nx\n[a:children]\nb\n[b:children]\na\n')
  assert.deepEqual((hosts.x as { tags: string[] }).tags, ['b', 'a'])
})

test('a missing file is named', async () => {
  await assert.rejects(readAnsibleInventory(join(folder, 'none')), { code: 'CPN_ERR_INVENTORY_READ', message: /none/ })
})
