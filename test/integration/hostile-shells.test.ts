import { test } from 'node:test'
import { sshdMissing, usersMissing } from '../helpers/sshd.ts'
import { assertTold, visit } from './hostile-fixture.ts'

const bash = (bashrc: string) => ({ shell: '/bin/bash', files: { '.bashrc': bashrc } })

test('nologin as login shell', { skip: usersMissing }, async () => {
  const error = await visit({ shell: '/usr/sbin/nologin' })
  assertTold(error, 'CPN_ERR_NO_SHELL', /login shell is nologin/, /chsh -s/)
})

test('a login shell that ends at once', { skip: usersMissing }, async () => {
  const error = await visit({ shell: '/bin/false' })
  assertTold(error, 'CPN_ERR_NO_SHELL', /did not run the command; it said nothing/, /Check the login shell/)
})

test('start files that end the login shell', { skip: usersMissing }, async () => {
  const error = await visit(bash('echo bye; exec true'))
  assertTold(error, 'CPN_ERR_NO_SHELL', /it said: "bye"/, /start files must neither exit/)
})

test('start files that print without end', { skip: usersMissing }, async () => {
  const error = await visit(bash('head -c 2000000 /dev/zero | tr "\\0" x'))
  assertTold(error, 'CPN_ERR_NO_SHELL', /did not run the command; it said: "x/, /print over 1 MB/)
})

test('a forced command', { skip: sshdMissing }, async () => {
  const error = await visit({ config: ['ForceCommand echo choose one of the following'] })
  assertTold(error, 'CPN_ERR_NO_SHELL', /it said: "choose one/, /ForceCommand/)
})

test('a forced command that waits for something else', { skip: sshdMissing }, async () => {
  const scaleBefore = process.env.CPN_TIMEOUT_SCALE
  process.env.CPN_TIMEOUT_SCALE = '0.1'
  const error = await visit({ config: ['ForceCommand cat >/dev/null'] })
  if (scaleBefore === undefined) delete process.env.CPN_TIMEOUT_SCALE
  else process.env.CPN_TIMEOUT_SCALE = scaleBefore
  assertTold(error, 'CPN_ERR_CHANNEL_TIMEOUT', /did not come to an end within 2 s/, /ForceCommand/)
})

test('file transfer only', { skip: sshdMissing }, async () => {
  const error = await visit({ config: ['ForceCommand internal-sftp'] })
  assertTold(error, 'CPN_ERR_NO_SHELL', /lets the user transfer files only/, /internal-sftp/)
})
