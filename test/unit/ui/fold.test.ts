import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diffLines } from '../../../src/ui/diff.ts'
import { renderFold } from '../../../src/ui/fold.ts'
import { foldNames } from '../../../src/ui/fold-names.ts'

test('names are folded to a pattern that means the same hosts', () => {
  assert.equal(foldNames(['node1', 'node2', 'node3', 'node5', 'lab']), 'node[1-3,5],lab')
  assert.equal(foldNames(['node10', 'node9', 'node11']), 'node[9-11]')
  assert.equal(foldNames(['gpu01', 'gpu02', 'gpu1']), 'gpu[01-02],gpu1')
  assert.equal(foldNames(['rack1-a', 'rack2-a', 'rack1-b']), 'rack[1-2]-a,rack1-b')
  assert.equal(foldNames(['gpu09', 'gpu10']), 'gpu[09-10]')
  assert.equal(foldNames(['only']), 'only')
})

test('identical output stands once, and a different one as a diff against the most common', () => {
  const outputs = [
    { host: 'node1', output: 'a\nb\n' },
    { host: 'node2', output: 'a\nc\n' },
    { host: 'node3', output: 'a\nb\n' },
  ]
  assert.deepEqual(renderFold(outputs).split('\n'), [
    'node[1,3] (2 hosts)',
    '  a',
    '  b',
    'node2 differs from node[1,3]:',
    '    a',
    '  - b',
    '  + c',
  ])
})

test('nothing said is told as such, control characters are escaped and tabs stay', () => {
  assert.equal(renderFold([{ host: 'node1', output: '' }]), 'node1\n  (no output)')
  assert.equal(renderFold([{ host: 'node1', output: 'a\tb\u001b' }]), 'node1\n  a\tb\\x1b')
  assert.equal(renderFold([]), '')
})

test('a diff leaves out long equal stretches', () => {
  const lines = Array.from({ length: 100 }, (_, index) => `line ${index}`)
  const changed = lines.with(50, 'other').toSpliced(52, 1)
  assert.deepEqual(diffLines(lines, changed), [
    '  …',
    '  line 48',
    '  line 49',
    '- line 50',
    '+ other',
    '  line 51',
    '- line 52',
    '  line 53',
    '  line 54',
    '  …',
  ])
})

test('texts too large to compare are shown as gone and come', () => {
  const numbers = (text: string): string[] => Array.from({ length: 2100 }, (_, index) => `${text} ${index}`)
  assert.equal(diffLines(numbers('a'), numbers('b')).length, 4200)
})
