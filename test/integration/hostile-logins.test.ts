import { test } from 'node:test'
import { quietContext } from '../helpers/provisioned.ts'
import { usersMissing } from '../helpers/sshd.ts'
import { changeAccount } from '../helpers/strange-host.ts'
import { assertTold, visit } from './hostile-fixture.ts'

// What needs no answer on a terminal is in test/e2e/hostile.test.ts.
test('a password that has expired', { skip: usersMissing }, async () => {
  const options = { password: 'secret', config: ['PubkeyAuthentication no'] }
  const error = await visit(options, { prepare: changeAccount('chage', '-d', '0'), context: quietContext('secret') })
  assertTold(error, 'CPN_ERR_AUTH_FAILED', /the password has expired/, /set a new password/)
})
