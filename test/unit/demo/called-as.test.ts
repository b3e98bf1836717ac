import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { calledAs } from '../../../src/demo/called-as.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'

test('cpn is called by its name only where that leads to it', () => {
  using folder = tempFolder()
  const place = (name: string) => {
    mkdirSync(join(folder.path, name), { recursive: true })
    return join(folder.path, name)
  }
  const [own, other, npm, none] = [place('own'), place('other'), place('node_modules/.bin'), place('none')]
  const file = join(folder.path, 'run.js')
  writeFileSync(file, '')
  for (const each of [own, npm]) symlinkSync(file, join(each, 'cpn'))
  writeFileSync(join(other, 'cpn'), '')
  const called = (...folders: string[]) => calledAs(file, folders.join(':'))
  assert.equal(called(none, own, other), 'cpn')
  for (const folders of [[], [none], [other, own], [npm]]) assert.equal(called(...folders), file)
  assert.equal(calledAs('/my own/run.js', ''), "'/my own/run.js'")
})
