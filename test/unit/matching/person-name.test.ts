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
    ['../Anna', /slash/],
    ['C:\\Anna', /slash/],
    ['..', /dot/],
    ['.Anna', /dot/],
    ['An\u0000na', /control/],
    ['An\u009bna', /control/],
    ['An\u2028na', /control/],
    ['\u202eannA', /control/],
    ['A\u0308nna', /NFC/],
    ['Anna \ud83d', /half/],
    ['ñ'.repeat(101), /200 bytes/],
  ]
  for (const [name, reason] of names) assert.match(wrongInName(name) ?? '', reason, JSON.stringify(name))
})
