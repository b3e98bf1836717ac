import assert from 'node:assert/strict'
import { homedir } from 'node:os'
import { test } from 'node:test'
import { parseSshConfig } from '../../../../src/transport/ssh/ssh-config.ts'
import { parseJump } from '../../../../src/transport/ssh/target.ts'

const text = `host web
user deploy
hostname 192.0.2.7
port 2222
addressfamily inet
identitiesonly yes
proxyjump first,me@second:2200
hostkeyalias web-key
connecttimeout 7
identityfile ~/.ssh/id_a
identityfile /keys/%r@%h
identityagent /run/agent.sock
userknownhostsfile ~/.ssh/known_hosts ~/.ssh/known_hosts2
globalknownhostsfile /etc/ssh/ssh_known_hosts
`

test('the output of ssh -G is read', () => {
  assert.deepEqual(parseSshConfig(text, 'web'), {
    hostname: '192.0.2.7',
    port: 2222,
    user: 'deploy',
    identityFiles: [`${homedir()}/.ssh/id_a`, '/keys/deploy@192.0.2.7'],
    identitiesOnly: true,
    sshAgent: '/run/agent.sock',
    proxyJump: ['first', 'me@second:2200'],
    hasProxyCommand: false,
    knownHostsFiles: [`${homedir()}/.ssh/known_hosts`, `${homedir()}/.ssh/known_hosts2`, '/etc/ssh/ssh_known_hosts'],
    hostKeyAlias: 'web-key',
    connectTimeoutMs: 7000,
    family: 4,
  })
})

test('none means none', () => {
  const config = parseSshConfig('proxyjump none\nproxycommand none\nidentityagent none\nconnecttimeout none\n', 'web')
  assert.deepEqual(config.proxyJump, [])
  assert.equal(config.hasProxyCommand, false)
  assert.equal(config.sshAgent, undefined)
  assert.equal(config.connectTimeoutMs, undefined)
  assert.equal(config.hostname, 'web')
})

test('ssh-agent comes from the environment unless the configuration says otherwise', (t) => {
  const before = process.env.SSH_AUTH_SOCK
  t.after(() => {
    if (before === undefined) delete process.env.SSH_AUTH_SOCK
    else process.env.SSH_AUTH_SOCK = before
  })
  process.env.SSH_AUTH_SOCK = '/tmp/agent'
  assert.equal(parseSshConfig('user x\n', 'web').sshAgent, '/tmp/agent')
  assert.equal(parseSshConfig('identityagent SSH_AUTH_SOCK\n', 'web').sshAgent, '/tmp/agent')
  assert.equal(parseSshConfig('identityagent $SSH_AUTH_SOCK\n', 'web').sshAgent, '/tmp/agent')
})

const jumps: [string, object][] = [
  ['bastion', { address: 'bastion' }],
  ['me@bastion', { address: 'bastion', user: 'me' }],
  ['me@bastion:2222', { address: 'bastion', user: 'me', port: 2222 }],
  ['ssh://me@bastion:2222', { address: 'bastion', user: 'me', port: 2222 }],
  ['[2001:db8::1]:2222', { address: '2001:db8::1', port: 2222 }],
  ['2001:db8::1', { address: '2001:db8::1' }],
]

for (const [spec, parsed] of jumps) test(`the jump ${spec}`, () => assert.deepEqual(parseJump(spec), parsed))

for (const spec of ['', 'me@', 'host:port', 'a/b', '[::1']) {
  test(`${JSON.stringify(spec)} is no jump`, () => assert.throws(() => parseJump(spec), { code: 'CPN_ERR_JUMP' }))
}
