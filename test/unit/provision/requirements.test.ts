import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { sha256 } from '../../../src/common/digest.ts'
import { parseInventory } from '../../../src/inventory/load.ts'
import {
  fileFolder,
  isMissing,
  parseRequirementState,
  requirementWords,
  venvPath,
  venvStamp,
} from '../../../src/provision/requirement-state.ts'
import { type HostRequirements, isNothing, requirementsOf } from '../../../src/provision/requirements.ts'
import { quote } from '../../../src/transport/shell.ts'

const root = mkdtempSync(join(tmpdir(), 'cpn-requirements-'))
after(() => rmSync(root, { recursive: true, force: true }))
mkdirSync(join(root, 'debs'))
for (const name of ['a_1_all.deb', 'b_1_all.deb', 'c-1-py3-none-any.whl']) writeFileSync(join(root, 'debs', name), name)

const inventory = parseInventory(
  `version: 1
hosts:
  node1: { address: 192.0.2.1, tags: [lab] }
  node2: { address: 192.0.2.2 }
requirements:
  - { commands: [sh] }
  - { tags: [lab], apt: [libgomp1], pip: [numpy], files: ['./debs/*.deb', 'debs/*.whl'], commands: [sh, ls] }
  - { tags: [other], files: ['nothing/*'] }
`,
  join(root, 'inventory.yaml'),
)
const fleetId = 'abcdefghijkl'

function ask(dir: string, requirements: HostRequirements) {
  const script = `dir=${quote(dir)}\n${requirementWords(fleetId, requirements)}`
  return parseRequirementState(execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' }), requirements)
}

test('a host has the requirements of its tags and those of all hosts', async () => {
  const [lab, other] = inventory.hosts
  const wanted = await requirementsOf(lab!, inventory)
  assert.deepEqual([wanted.apt, wanted.pip, wanted.commands], [['libgomp1'], ['numpy'], ['sh', 'ls']])
  assert.deepEqual(
    wanted.files.map(({ name, sha256: digest }) => [name, digest === sha256(name)]),
    [
      ['a_1_all.deb', true],
      ['b_1_all.deb', true],
      ['c-1-py3-none-any.whl', true],
    ],
  )
  assert.deepEqual(await requirementsOf(other!, inventory), { apt: [], pip: [], commands: ['sh'], files: [] })
  assert.ok(isNothing(await requirementsOf(other!, { ...inventory, requirements: [] })))
})

test('a pattern that matches no file is an error that says where it looked', async () => {
  const host = { ...inventory.hosts[0]!, tags: ['other'] }
  await assert.rejects(requirementsOf(host, inventory), { code: 'CPN_ERR_REQUIREMENT', message: /"nothing\/\*"/ })
})

test('what is missing on a host is found without writing there', async () => {
  const wanted = { ...(await requirementsOf(inventory.hosts[0]!, inventory)), commands: ['sh', 'no-such-program'] }
  wanted.apt = ['no-such-package']
  const dir = join(root, 'bare')
  const state = ask(dir, wanted)
  assert.deepEqual([state.apt, state.commands, state.pip], [['no-such-package'], ['no-such-program'], true])
  assert.equal(state.files.length, 3)
  assert.equal(state.debs.length, 2)
  assert.ok(isMissing(state))
})

test('files of the right size and a venv of the same packages are not missing', async () => {
  const wanted = { ...(await requirementsOf(inventory.hosts[0]!, inventory)), apt: [] }
  const dir = join(root, 'it’s ready')
  const put = (path: string, text: string, mode = 0o644) => {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), text, { mode })
  }
  for (const file of wanted.files) put(`${fileFolder(fleetId, file)}/${file.name}`, file.name)
  put(`${venvPath(fleetId)}/bin/python`, '', 0o755)
  put(`${venvPath(fleetId)}/.cpn`, `${venvStamp(wanted)}\n`)
  const state = ask(dir, wanted)
  assert.deepEqual([state.files, state.pip], [[], false])
  assert.equal(ask(dir, { ...wanted, pip: ['numpy', 'pillow'] }).pip, true)
})
