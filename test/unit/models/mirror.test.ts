import assert from 'node:assert/strict'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { mirrorUrls, parseMirror } from '../../../src/models/mirror.ts'
import { tinyManifest } from '../../helpers/tiny-model.ts'

test('a mirror is a folder, a file address or a web address', () => {
  assert.equal(parseMirror(undefined), undefined)
  assert.equal(parseMirror(''), undefined)
  assert.deepEqual(parseMirror('/media/stick'), { kind: 'folder', path: '/media/stick' })
  assert.deepEqual(parseMirror('models'), { kind: 'folder', path: resolve('models') })
  assert.deepEqual(parseMirror('~/models'), { kind: 'folder', path: join(homedir(), 'models') })
  assert.deepEqual(parseMirror('file:///media/my%20stick'), { kind: 'folder', path: '/media/my stick' })
  assert.deepEqual(parseMirror('https://host/models'), { kind: 'web', base: 'https://host/models/' })
})

test('what is no address is a usage error', () => {
  for (const value of ['http://', 'file://elsewhere/models', 'https:// /x']) {
    assert.throws(() => parseMirror(value), { code: 'CPN_ERR_USAGE' }, value)
  }
})

test('a web mirror is asked by the names of the public files, then by digest', () => {
  const manifest = tinyManifest([
    'https://a.example/x/one.onnx',
    'https://b.example/one.onnx?raw=1',
    'https://c.example/',
  ])
  const expected = ['https://host/m/one.onnx', `https://host/m/${manifest.sha256}`]
  assert.deepEqual(mirrorUrls('https://host/m/', manifest), expected)
  assert.deepEqual(mirrorUrls(undefined, manifest), [])
})
