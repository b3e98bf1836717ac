import assert from 'node:assert/strict'
import { stripVTControlCharacters } from 'node:util'
import type { Context } from '../../src/common/context.ts'
import type { ErrorCode } from '../../src/common/error-codes.ts'
import { CpnError } from '../../src/common/errors.ts'
import type { Host } from '../../src/inventory/inventory.ts'
import { renderError } from '../../src/ui/error.ts'
import { assertIdle, assertSameTree } from '../helpers/leaks.ts'
import { project } from '../helpers/project.ts'
import { provisionAll, quietContext, setting } from '../helpers/provisioned.ts'
import { type SshdHost, type SshdOptions, startHosts } from '../helpers/sshd.ts'

export interface Visit {
  /** What makes a running host strange; `entry` is its place in the inventory. What it returns is called at the end. */
  prepare?: (sshd: SshdHost, entry: Host) => (() => void) | undefined
  context?: Context
}

/**
 * Looks at a strange host beside a healthy one, which has to come through. Nothing of ours may be left on the strange
 * one. Resolves with its error, undefined when it came through as well.
 */
export async function visit(options: SshdOptions, { prepare, context }: Visit = {}): Promise<unknown> {
  await using hosts = await startHosts({ name: 'strange', ...options }, { name: 'healthy' })
  const strange = hosts[0]!
  await using folder = project(hosts)
  const made = await setting(folder)
  const undo = prepare?.(strange, made.inventory.hosts.find(({ name }) => name === 'strange')!)
  try {
    const before = strange.tree()
    const results = await provisionAll({ ...made.options, dryRun: true }, context ?? quietContext())
    assert.equal(results.get('healthy')!.error, undefined, 'the other host goes on')
    await assertIdle([strange])
    assertSameTree(strange, before)
    return results.get('strange')!.error
  } finally {
    undo?.()
  }
}

/** Fails unless this is one message of at most five lines with this code that names the host, cause and remedy. */
export function assertTold(error: unknown, code: ErrorCode, cause: RegExp, remedy: RegExp): void {
  assert.ok(error instanceof CpnError, `no error of ours: ${String(error)}`)
  const shown = stripVTControlCharacters(renderError(error))
  assert.equal(error.code, code, shown)
  assert.match(shown, /^✖ strange: /)
  assert.match(error.message, cause)
  assert.match(shown, remedy)
  assert.ok(shown.split('\n').length <= 5, `more than five lines:\n${shown}`)
}
