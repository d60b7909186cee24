import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NOTHING, difference, table } from '../src/summary.js'

const after = {
  totals: { hit: 2, coalesced: 1, peer: 3, revalidated: 4, stale: 5, miss: 1200, bypass: 6, upstream: 1210 },
  calls_saved: 15,
  budgets: [{ resource: 'core', remaining: 994, limit: 1000 }]
}

test('the table has every answer once', () => {
  const [heading, row] = table(difference(NOTHING, after))
  const shown = Object.fromEntries(heading.map(({ data }, i) => [data, row[i]]))
  assert.deepEqual(shown, {
    calls: '1,221',
    hits: '3',
    'peer hits': '3',
    revalidated: '4',
    stale: '5',
    'calls saved': '15',
    'rate limit left': 'core: 994 of 1,000'
  })
})

test('of a daemon that ran before, only what this job did is told', () => {
  const before = { totals: { hit: 1, miss: 1199 }, calls_saved: 5, budgets: [] }
  const did = difference(before, after)
  assert.deepEqual([did.hit, did.miss, did.saved], [1, 1, 10])
})

test('GitHub was not asked: no rate limit is known', () => {
  assert.equal(table(difference(NOTHING, NOTHING))[1].at(-1), 'not asked')
})
