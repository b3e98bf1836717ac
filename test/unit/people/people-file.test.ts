import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noPeople } from '../../../src/people/people.ts'
import { decodePeople, encodePeople } from '../../../src/people/people-file.ts'
import { peopleOf, person } from '../../helpers/people.ts'

const file = '/somewhere/people.ndjson'
const people = peopleOf(person('Zoë Ångström'), person('أمي', ...person('x').photos.map((photo) => photo.embedding)))
const text = encodePeople(people)
const [head = '', first = '', second = ''] = text.split('\n')

test('people come back as they were, nobody as well', () => {
  assert.deepEqual(decodePeople(text, file), people)
  assert.deepEqual(decodePeople(encodePeople(noPeople), file), noPeople)
})

test('what is not whole is refused, with the file, the line and the reason', () => {
  const edited = (line: string, edit: (value: ReturnType<typeof JSON.parse>) => unknown) =>
    JSON.stringify(edit(JSON.parse(line)))
  const named = (name: string) => edited(first, (value) => ({ ...value, name }))
  const photo = (change: object) =>
    edited(first, (value) => ({ ...value, photos: [{ ...value.photos[0], ...change }, ...value.photos.slice(1)] }))
  const embedding = (...numbers: number[]) => ({
    embedding: Buffer.from(new Float32Array(numbers).buffer).toString('base64'),
  })
  const unit = (length: number, squares = 1) => embedding(...new Array(length).fill(Math.sqrt(squares / length)))
  for (const [lines, reason] of [
    [[''], /line 1 is not JSON/],
    [[head, first, second], /it has 1 of 2 people/],
    [[head, first, ''], /it has 1 of 2 people/],
    [[head, first, second, second, ''], /it has 3 of 2 people/],
    [[edited(head, (value) => ({ ...value, format: 'cpn people 2' })), first, second, ''], /line 1: format/],
    [[edited(head, (value) => ({ ...value, model: null })), first, second, ''], /which model its embeddings are of/],
    [
      [edited(head, (value) => ({ ...value, model: { ...value.model, sha256: 'x' } })), first, second, ''],
      /line 1: model/,
    ],
    [[head, first.slice(0, -40), second, ''], /line 2 is not JSON/],
    [[head, first, 'null', ''], /line 3/],
    [[head, first, first, ''], /it has two people called/],
    [[head, named('Anna'), edited(second, (value) => ({ ...value, name: 'ANNA' })), ''], /two people called ANNA/],
    [[head, named('../Anna'), second, ''], /line 2: .*has a \//],
    [[head, named('Anna\u0007'), second, ''], /line 2: .*cannot be seen \(U\+0007\)/],
    [[head, named('Anna\u202e'), second, ''], /line 2: .*cannot be seen \(U\+202e\)/],
    [[head, named(' Anna'), second, ''], /line 2: .*is not how names are kept/],
    [[head, named('unknown-001'), second, ''], /line 2: .*groups of unknown faces/],
    [[head, photo(unit(64)), second, ''], /line 2: photos.0.embedding is no embedding/],
    [[head, photo(unit(128, 1.01)), second, ''], /line 2: photos.0.embedding is no embedding/],
    [[head, photo(embedding(...new Array(128).fill(Number.NaN))), second, ''], /photos.0.embedding is no embedding/],
    [[head, photo({ embedding: '*' }), second, ''], /line 2: photos.0.embedding/],
    [[head, photo({ sha256: '../x' }), second, ''], /line 2: photos.0.sha256/],
    [[head, photo({ added: 'yesterday' }), second, ''], /line 2: photos.0.added/],
  ] as [string[], RegExp][]) {
    assert.throws(() => decodePeople(lines.join('\n'), file), {
      code: 'CPN_ERR_GALLERY_DAMAGED',
      message: new RegExp(`^${file} cannot be used: .*${reason.source}`),
    })
  }
  // What an honest one looks like when it is edited in the same way.
  assert.equal(decodePeople([head, photo(unit(128)), second, ''].join('\n'), file).people.length, 2)
})
