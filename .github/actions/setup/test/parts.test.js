import assert from 'node:assert/strict'
import { test } from 'node:test'
import { paths } from '../src/parts.js'

test('of a folder with other things in it, what is ours alone is kept', () => {
  assert.deepEqual(paths('/home/me/.cache', '/tmp/job'), ['/home/me/.cache/records', '/home/me/.cache/tombstones'])
})

test('a store in the temporary folder goes by its name there', () => {
  assert.deepEqual(paths('/tmp/job/store', '/tmp/job'), ['store/records', 'store/tombstones'])
})
