import assert from 'node:assert/strict'
import { test } from 'node:test'
import { untrusted } from '../src/trust.js'

const HERE = 'acme/widgets'
const pull = (full_name) => ({ pull_request: { head: { repo: full_name && { full_name } } } })
const run = (full_name, event = 'push') => ({
  workflow_run: { event, head_repository: full_name && { full_name } }
})

const cases = [
  ['push', {}, true],
  ['schedule', {}, true],
  ['pull_request', pull(HERE), true],
  ['pull_request', pull('mallory/widgets'), false],
  ['pull_request', pull(null), false],
  ['pull_request_review', pull('mallory/widgets'), false],
  ['pull_request_target', pull(HERE), false],
  ['pull_request', {}, false],
  ['issue_comment', {}, false],
  ['discussion_comment', {}, false],
  ['workflow_run', run(HERE), true],
  ['workflow_run', run('mallory/widgets'), false],
  ['workflow_run', run(null), false],
  ['workflow_run', run(HERE, 'pull_request'), true],
  ['workflow_run', run(HERE, 'issue_comment'), false],
  ['workflow_run', run(HERE, 'workflow_run'), false]
]

for (const [event, payload, trusted] of cases) {
  test(`${event} of ${JSON.stringify(payload)} is ${trusted ? '' : 'not '}trusted`, () => {
    assert.equal(untrusted(event, payload, HERE) === '', trusted)
  })
}
