// What the cache did in this job, as numbers and as a table.
import { p2pcache } from './command.js'

/** A daemon's reading before its first call. */
export const NOTHING = { totals: {}, calls_saved: 0, budgets: [] }

/** Return { totals, calls_saved, budgets } of now. */
export async function read() {
  const stats = JSON.parse(await p2pcache(['stats', '--json'], { quiet: true }))
  let budgets = []
  if (stats.daemon) {
    const status = JSON.parse(await p2pcache(['status', '--json'], { quiet: true }))
    budgets = status.gateway?.budgets ?? []
  }
  return { totals: stats.totals, calls_saved: stats.calls_saved, budgets }
}

const ANSWERS = ['hit', 'peer', 'revalidated', 'coalesced', 'stale', 'miss', 'bypass']

/** Return what was counted between two readings. */
export function difference(before, after) {
  const counted = (name) => (after.totals[name] ?? 0) - (before.totals[name] ?? 0)
  const row = Object.fromEntries(ANSWERS.map((name) => [name, counted(name)]))
  return {
    ...row,
    calls: ANSWERS.reduce((sum, name) => sum + row[name], 0),
    upstream: counted('upstream'),
    saved: after.calls_saved - before.calls_saved,
    budgets: after.budgets
  }
}

/** Return the rows of the summary's table, the heading first. */
export function table(did) {
  const heading = ['calls', 'hits', 'peer hits', 'revalidated', 'stale', 'calls saved', 'rate limit left']
  const numbers = [did.calls, did.hit + did.coalesced, did.peer, did.revalidated, did.stale, did.saved]
  return [
    heading.map((data) => ({ data, header: true })),
    [...numbers.map((number) => number.toLocaleString('en')), left(did.budgets)]
  ]
}

function left(budgets) {
  const rows = budgets.map((b) => `${b.resource}: ${b.remaining.toLocaleString('en')} of ${b.limit.toLocaleString('en')}`)
  return rows.join('<br>') || 'not asked'
}
