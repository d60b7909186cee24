// The sealed store in the Actions cache: restored by prefix, saved under a new key each time.
import * as cache from '@actions/cache'
import * as core from '@actions/core'
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { within } from './deadline.js'

const PREFIX = 'gh-p2pcache-store-1-'
const RESTORE = 45 // seconds; what the store has is asked of GitHub otherwise
const SAVE = 60

/** Restore the newest store; returns its key, '' for none. `folder`, where paths start: see `at`. */
export async function restoreStore(store, folder) {
  try {
    const paths = [named(store, folder)]
    const found = at(folder, () => cache.restoreCache(paths, PREFIX + 'none', [PREFIX]))
    const key = await within(RESTORE, 'the Actions cache', found)
    core.info(key ? `The store of ${key} is restored` : 'There is no store to restore yet')
    return key ?? ''
  } catch (error) {
    core.warning(`the store is not restored: ${error.message}`)
    return ''
  }
}

/** Save the store under a key that nobody has: an entry of the Actions cache never changes. */
export async function saveStore(store, folder, env = process.env) {
  const parts = [env.GITHUB_RUN_ID, env.GITHUB_RUN_ATTEMPT, env.GITHUB_JOB, randomBytes(4).toString('hex')]
  const key = PREFIX + parts.filter(Boolean).join('-')
  const saving = at(folder, () => cache.saveCache([named(store, folder)], key))
  if ((await within(SAVE, 'keeping the store', saving)) < 0) return // it has said why
  core.info(`The store is kept as ${key}`)
}

// The names of paths are part of what an entry is found by: a store in the runner's temporary
// folder, which is elsewhere on each runner, goes by its name there.
function named(store, folder) {
  const relative = path.relative(folder, store)
  return relative.startsWith('..') ? store : relative
}

async function at(folder, work) {
  const before = process.cwd()
  process.chdir(folder)
  try {
    return await work()
  } finally {
    process.chdir(before)
  }
}
