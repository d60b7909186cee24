import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wrong } from '../src/command.js'
import { within } from '../src/deadline.js'

test('what a program says is wrong is told, not what it says besides', () => {
  const said = 'install.sh: missing: Python 3.10 to 3.14\n    Debian: apt install python3\n    conda: …\n'
  assert.equal(wrong('install.sh', said), 'missing: Python 3.10 to 3.14')
  assert.equal(wrong('install.sh', 'Killed\n'), 'Killed')
})

test('what does not end is given up', async () => {
  assert.equal(await within(5, 'it', Promise.resolve(3)), 3)
  await assert.rejects(within(0.01, 'the cache', new Promise(() => {})), /the cache: no end within 0.01 s/)
})
