import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wrongInName } from '../../../src/matching/person-name.ts'

test('names of any script are names', () => {
  for (const name of [
    'Anna',
    "Seán O'Brien",
    'Nguyễn Thị Hồng',
    '王秀英',
    'مُحَمَّد',
    'می‌خواهم',
    'รัตนา',
    '👩‍🍳 Chef',
    'Ana-María 2.0',
  ])
    assert.equal(wrongInName(name.normalize('NFC')), undefined, name)
})

test('what would lead a file name, a log or a reader astray is none, and the reason is said', () => {
  const names: [string, RegExp][] = [
    ['', /empty/],
    [' \u3000', /empty/],
    [' Anna', /space/],
    ['Anna\n', /space/],
    ['../Anna', /has a \//],
    ['C:\\Anna', /has a :/],
    ['..', /dot/],
    ['.Anna', /dot/],
    ['unknown-12', /groups/],
    ['a:b', /has a :/],
    ['Anna.', /dot/],
    ['An\u0000na', /cannot be seen/],
    ['An\u009bna', /cannot be seen/],
    ['An\u2028na', /cannot be seen/],
    ['\u202eannA', /cannot be seen/],
    ['A\u0308nna', /NFC/],
    ['Anna \ud83d', /half/],
    ['ñ'.repeat(101), /200 bytes/],
  ]
  for (const [name, reason] of names) assert.match(wrongInName(name) ?? '', reason, JSON.stringify(name))
})
